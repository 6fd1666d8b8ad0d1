"""`ClipPixels`: trajectories and shop pictures as pixels, for an image network that learns too."""

from snapshelf.datasets.clips.spread_frames import shown_steps
from snapshelf.features.pipeline import crop
from snapshelf.features.preprocessing import Preprocessing, prepare
from snapshelf.features.torch_extra import torch_extra
from snapshelf.media.decode import decode_picture
from snapshelf.media.picture_file import read_picture_file
from snapshelf.training.clip_training_set import ClipTrainingSet

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["ClipPixels"]


class ClipPixels:
    """Renders or reads each clip when it is drawn: `TrajectorySource`.

    Args:
        training_set: The clips and pictures, by their numbers.
        preprocessing: How they become inputs.
        steps: Of a trajectory, at least 1.
    """

    def __init__(
        self, training_set: ClipTrainingSet, preprocessing: Preprocessing, steps: int
    ) -> None:
        self._set, self._preprocessing, self._steps = training_set, preprocessing, steps

    def trajectory(self, number: int, seed: tuple[int, ...]) -> Tensor:  # noqa: ARG002
        """Give (T, 3, H, W) uint8, whatever the seed.

        Raises:
            DatasetError: If a frame cannot be read.
        """
        shown = shown_steps(self._set.clips[number], self._steps)
        inputs = [torch.from_numpy(prepare(each, self._preprocessing)) for each in shown]
        return torch.stack(inputs).permute(0, 3, 1, 2)

    def picture(self, number: int, seed: tuple[int, ...]) -> Tensor:  # noqa: ARG002
        """Give (3, H, W) uint8, whatever the seed.

        Raises:
            PictureError: If it cannot be read.
        """
        path, box = self._set.pictures[number]
        picture = decode_picture(read_picture_file(path))
        whole = picture if box is None else crop(picture, box)
        return torch.from_numpy(prepare(whole, self._preprocessing)).permute(2, 0, 1)
