"""nlctl: the control plane of a Supabase-native backend."""
