"""Training: losses, mining, sampling, Lightning modules and domain-shift augmentation."""
