"""Data sets and the batches made of them.

split.py defines a data set as three splits, objective.py the loss and metric on it, inputs.py the interface of their
inputs and inputs in memory, streamed.py images that are read while training runs. in_memory.py, image_folder.py,
class_folders.py, mnist1d.py, tabular.py and text.py load data sets, image_files.py finds and reads image files,
published.py knows the files of published data sets, and synthetic.py makes data sets. batches.py yields the training
batches of runs, augmentation.py changes images at random, seeds.py makes random streams.
"""
