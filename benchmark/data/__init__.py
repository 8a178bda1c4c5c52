"""Data sets: loaded into memory, streamed from image files, or synthetic; and the batches made of them."""
