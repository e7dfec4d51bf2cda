"""The queries of the Storage service; parameters are numbered, results are text."""
