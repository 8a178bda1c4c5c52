"""Where packs of runs are computed: in this process, in local processes, or on a Ray cluster."""
