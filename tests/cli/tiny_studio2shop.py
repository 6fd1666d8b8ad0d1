"""A recipe of `studio2shop` that trains in a second."""

CONFIG = """
backbone = "test_resnet"
weights = "random"
size = [48, 32]
hidden = 8
matcher_hidden = 8
compared = 2
epochs = 1
batch = 2
depth = 3
dimension = 3
num_workers = 0
ROWS
[fashion_dna]
backbone = "test_resnet"
weights = "random"
size = [32, 24]
grid = [2, 1]
fc1 = 8
branch = 8
dimension = 2
epochs = 1
warmup_epochs = 0
batch = 2
augmentation = false
num_workers = 0
"""
