"""The job queue: Procrastinate in a schema of its own, what runs its jobs, what looks after it."""
