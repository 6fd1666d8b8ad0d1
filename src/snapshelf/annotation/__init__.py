"""What pictures show, products and attributes, as found and as files hold it."""

from snapshelf.annotation.annotate import annotate_pictures
from snapshelf.annotation.annotated import AnnotatedItem, AnnotatedPicture
from snapshelf.annotation.attribute_finder import AttributeFinder
from snapshelf.annotation.pictures import PictureToAnnotate, feed_pictures, file_pictures
from snapshelf.annotation.product_finder import ProductFinder
from snapshelf.annotation.writing import PRODUCT_WRITERS, WRITERS

__all__ = [
    "PRODUCT_WRITERS",
    "WRITERS",
    "AnnotatedItem",
    "AnnotatedPicture",
    "AttributeFinder",
    "PictureToAnnotate",
    "ProductFinder",
    "annotate_pictures",
    "feed_pictures",
    "file_pictures",
]
