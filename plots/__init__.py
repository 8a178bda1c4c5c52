"""Results in, pictures and tables out; reads what `benchmark` wrote and never imports torch."""
