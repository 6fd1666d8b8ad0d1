"""``snapshelf contact-sheet``: look at what domain-shift augmentation makes of pictures."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snapshelf.cli.console import EXIT_SKIPPED, EXIT_USAGE, fail, tell
from snapshelf.cli.count_text import count_text
from snapshelf.cli.output_file import check_output

if TYPE_CHECKING:
    from snapshelf.training.augmentation import Backgrounds, DomainShift, Source

__all__ = ["contact_sheet"]

BEGINS = {".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff", ".png": b"\x89png\r\n\x1a\n"}
"""How the files that can be written begin, in small letters, by their suffix."""

LONGEST_SIDE = 512
"""Pictures are shrunk to it first: views are much smaller, and a matte takes its time."""

MOST_BACKGROUNDS = 200
LONGEST_SHEET = 65_535
MOST_PIXELS = 200_000_000


class Side(StrEnum):
    """Which side pictures come from; the values are those of `Domain`, which is slow to import."""

    SHOP = "shop"
    STREET = "street"


def contact_sheet(
    pictures: Annotated[
        list[Path], typer.Argument(help="Picture files.", show_default=False, metavar="PICTURE...")
    ],
    out: Annotated[Path, typer.Option(help="The sheet: a .jpg or .png file.")],
    views: Annotated[
        int, typer.Option(min=1, help="Street views of each picture; half as many shop views.")
    ] = 8,
    size: Annotated[int, typer.Option(min=16, max=1024, help="Side of a view in pixels.")] = 160,
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws other views.")] = 0,
    side: Annotated[
        Side,
        typer.Option(help="The side the pictures come from; only shop pictures are cut out."),
    ] = Side.SHOP,
    backgrounds: Annotated[
        Path | None,
        typer.Option(help="Folder of photos to put items on; clutter is drawn without it."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file of `train`; its table domain_shift is used."),
    ] = None,
) -> None:
    """Draw each picture, its matte, and street and shop views made of it."""
    from PIL import Image

    from snapshelf.media.encode import encode_jpeg
    from snapshelf.training.augmentation.contact_sheet import contact_sheet as draw
    from snapshelf.training.augmentation.contact_sheet import shop_views

    suffix = out.suffix.lower()
    if suffix not in BEGINS:
        fail(f"--out: {out} must end in {', '.join(BEGINS)}", EXIT_USAGE)
    check_output(out, "--out", begins=BEGINS[suffix], inputs=pictures)
    columns = 2 + views + shop_views(views)
    _check_extent(columns * (size + 2), len(pictures) * (size + 2))
    settings = _settings(config)
    pool = _backgrounds(backgrounds)
    sources, skipped = _sources(pictures, side)
    if not sources:
        fail("none of the pictures can be read")
    if len(sources) > 1:
        pool = pool.with_items(sources)
    sheet = draw(sources, views=views, size=size, seed=seed, settings=settings, backgrounds=pool)
    if suffix == ".png":
        Image.fromarray(sheet).save(out, "PNG")
    else:
        out.write_bytes(encode_jpeg(sheet, quality=92))
    count = count_text(len(sources), "picture")
    tell(f"wrote {out}: {count}, {count_text(views, 'street view')} of each")
    if skipped:
        raise typer.Exit(EXIT_SKIPPED)


def _check_extent(width: int, height: int) -> None:
    if max(width, height) > LONGEST_SHEET or width * height > MOST_PIXELS:
        fail(
            f"the sheet would have {width} x {height} pixels, at most {LONGEST_SHEET:,} a side "
            f"and {MOST_PIXELS:,} in all are drawn; give fewer pictures or views, or a smaller "
            "--size",
            EXIT_USAGE,
        )


def _settings(config: Path | None) -> "DomainShift":
    """Read the settings.

    Raises:
        SnapshelfError: If the file cannot be read.
        typer.Exit: If a setting cannot be used.
    """
    from snapshelf.training.augmentation import DomainShift
    from snapshelf.training.settings import read_toml

    if config is None:
        return DomainShift()
    table = read_toml(config).get("domain_shift", {})
    if not isinstance(table, dict):
        fail(f"--config: {config}: domain_shift must be a table, got {table!r}")
    try:
        return DomainShift.from_dict(table)
    except ValueError as error:
        fail(f"--config: {config}: domain_shift: {error}")


def _backgrounds(folder: Path | None) -> "Backgrounds":
    from snapshelf.training.augmentation import Backgrounds

    if folder is None:
        return Backgrounds()
    pool = Backgrounds.from_folder(folder, at_most=MOST_BACKGROUNDS)
    for reason in pool.skipped:
        tell(f"left out of the backgrounds: {reason}")
    return pool


def _sources(pictures: list[Path], side: Side) -> tuple[list["Source"], int]:
    """Read the pictures, and cut out what a shop shows.

    Returns:
        The pictures that could be read, and how many could not.
    """
    import numpy as np
    from PIL import Image

    from snapshelf.errors import PictureError
    from snapshelf.features.encoder import Domain
    from snapshelf.media.decode import decode_picture
    from snapshelf.media.picture_file import read_picture_file
    from snapshelf.training.augmentation import Source, alpha_matte

    sources: list[Source] = []
    for file in pictures:
        try:
            whole = Image.fromarray(decode_picture(read_picture_file(file)))
        except PictureError as error:
            text = str(error)
            tell(f"skipped: {text}" if text.startswith(str(file)) else f"skipped: {file}: {text}")
            continue
        whole.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        picture = np.array(whole)
        matte = alpha_matte(picture) if side is Side.SHOP else None
        sources.append(Source(picture, matte, Domain(side.value)))
    return sources, len(pictures) - len(sources)
