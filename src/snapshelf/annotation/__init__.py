"""What pictures and clips show, products and attributes, as found and as files hold it."""

from snapshelf.annotation.annotate import annotate_pictures
from snapshelf.annotation.annotated import AnnotatedItem, AnnotatedPicture
from snapshelf.annotation.attribute_finder import AttributeFinder
from snapshelf.annotation.clips import AnnotatedClip, annotate_clips, file_clips
from snapshelf.annotation.pictures import PictureToAnnotate, feed_pictures, file_pictures
from snapshelf.annotation.product_finder import ProductFinder
from snapshelf.annotation.writing import PRODUCT_WRITERS, WRITERS, clip_json_line

__all__ = [
    "PRODUCT_WRITERS",
    "WRITERS",
    "AnnotatedClip",
    "AnnotatedItem",
    "AnnotatedPicture",
    "AttributeFinder",
    "PictureToAnnotate",
    "ProductFinder",
    "annotate_clips",
    "annotate_pictures",
    "clip_json_line",
    "feed_pictures",
    "file_clips",
    "file_pictures",
]
