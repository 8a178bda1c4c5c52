"""Data sets and the batches made of them.

split.py defines a data set as three splits, inputs.py the interface of their inputs and inputs in memory, streamed.py
images that are read while training runs. in_memory.py and image_folder.py load data sets, image_files.py finds and
reads image files, and synthetic.py makes data sets.
batches.py yields the training batches of runs, augmentation.py changes images at random, seeds.py makes random streams.
"""
