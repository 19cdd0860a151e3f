"""The only room that opens files: profiles, workloads, plans and model configurations, read and checked."""
