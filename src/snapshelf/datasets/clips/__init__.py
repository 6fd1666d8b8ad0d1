"""Clips of products as data: rendered from photos, or read from published videos."""

from snapshelf.datasets.clips.clip import Clip, ClipFrame, StackedClip
from snapshelf.datasets.clips.clip_dataset import ClipDataset, ClipItem, ClipTrainingData
from snapshelf.datasets.clips.registry import open_clip_dataset, open_clip_training_data
from snapshelf.datasets.clips.render_settings import RenderSettings
from snapshelf.datasets.clips.rendered import RenderedClipData
from snapshelf.datasets.clips.rendered_clips import Filming
from snapshelf.datasets.clips.video_reader import VideoFrame, VideoReader

__all__ = [
    "Clip",
    "ClipDataset",
    "ClipFrame",
    "ClipItem",
    "ClipTrainingData",
    "Filming",
    "RenderSettings",
    "RenderedClipData",
    "StackedClip",
    "VideoFrame",
    "VideoReader",
    "open_clip_dataset",
    "open_clip_training_data",
]
