"""What attributes pictures show, as predicted, and as files hold it."""

from snapshelf.annotation.annotate import annotate_pictures
from snapshelf.annotation.annotated import AnnotatedItem, AnnotatedPicture
from snapshelf.annotation.pictures import PictureToAnnotate, feed_pictures, file_pictures
from snapshelf.annotation.writing import WRITERS

__all__ = [
    "WRITERS",
    "AnnotatedItem",
    "AnnotatedPicture",
    "PictureToAnnotate",
    "annotate_pictures",
    "feed_pictures",
    "file_pictures",
]
