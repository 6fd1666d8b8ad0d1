"""A recipe of `three-level` that trains in a second."""

CONFIG = """
backbone = "test_resnet"
weights = "random"
size = 32
branch = 8
parts_dimension = 4
dimension = 4
street_epochs = 1
shop_epochs = 1
batch = 2
augmentation = false
num_workers = 0
"""
