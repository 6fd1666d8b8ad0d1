"""Tables as plots, drawn with Pillow: bars of rows, or lines over the columns of a grid."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from snapshelf.evaluation.query_values import LABELS
from snapshelf.evaluation.tables import Reproduction, Row, Table
from snapshelf.whole_file import write_whole

__all__ = ["draw_table", "draw_tables"]

WIDTH, LINE, LEFT, SIDE = 1100, 30, 330, 40
PLOT_HEIGHT = 480
INK, SOFT, GRID, PAPER = (32, 36, 44), (110, 116, 128), (224, 226, 230), (255, 255, 255)
COLOURS = (
    *((38, 92, 168), (196, 78, 42), (66, 140, 74), (140, 84, 160)),
    *((190, 150, 30), (40, 150, 160), (200, 80, 130), (120, 90, 60), (90, 90, 90)),
)


def draw_tables(reproduction: Reproduction, names: Sequence[str], folder: Path) -> dict[str, bytes]:
    """Draw tables of which any row has figures, on all products, and write them as PNG files.

    Args:
        reproduction: Holds the tables.
        names: Which of them.
        folder: Made if there is something to write; files are named after the tables.

    Returns:
        The files' contents by the tables' names.

    Raises:
        OSError: If a file cannot be written.
    """
    drawn = {
        table.name: draw_table(table)
        for table in reproduction.tables
        if table.name in names and table.has_run
    }
    for name, data in drawn.items():
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / f"{name}.png", data)
    return drawn


def draw_table(table: Table) -> bytes:
    """Draw a table's figures on all products; whiskers span the seeds.

    Args:
        table: A grid is drawn as a line for each of its lines, in its last metric; other tables
            as a bar for each row and metric.

    Returns:
        A PNG file.

    Raises:
        ValueError: If no row has figures.
    """
    rows = [row for row in table.rows if "all" in row.cells]
    if not rows:
        raise ValueError(f"the table {table.name} has no figures to draw")
    picture = _lines(table, rows) if all(row.place for row in rows) else _bars(table, rows)
    stream = BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _bars(table: Table, rows: Sequence[Row]) -> Image.Image:
    metrics = table.metrics
    group = LINE * len(metrics) + 14
    height = 110 + group * len(rows)
    picture, draw = _sheet(height, table.title)
    span = WIDTH - LEFT - 90
    for step in range(0, 101, 20):
        x = LEFT + span * step / 100
        draw.line([(x, 90), (x, height - 16)], GRID)
        draw.text((x, 84), str(step), SOFT, _font(15), anchor="mb")
    for number, row in enumerate(rows):
        top = 98 + group * number
        draw.text((LEFT - 12, top + group / 2 - 7), row.title, INK, _font(17), anchor="rm")
        for place, metric in enumerate(metrics):
            cell, y = row.cells["all"][metric], top + LINE * place
            end = LEFT + span * cell.mean
            draw.rectangle([LEFT, y + 4, end, y + LINE - 4], COLOURS[place % len(COLOURS)])
            if cell.deviation is not None:
                low, high = (LEFT + span * each for each in (cell.lowest, cell.highest))
                draw.line([(low, y + LINE / 2), (high, y + LINE / 2)], INK, 2)
            draw.text(
                (max(end, LEFT + span * cell.highest) + 8, y + LINE / 2),
                f"{100 * cell.mean:.1f}",
                INK,
                _font(15),
                anchor="lm",
            )
    _legend(draw, [LABELS[metric] for metric in metrics], 54, LEFT)
    return picture


def _lines(table: Table, rows: Sequence[Row]) -> Image.Image:
    metric = table.metrics[-1]
    placed = {row.place: 100 * row.cells["all"][metric].mean for row in rows if row.place}
    names = tuple(dict.fromkeys(line for line, _ in placed))
    columns = tuple(dict.fromkeys(column for _, column in placed))
    low, high = min(placed.values()), max(placed.values())
    low, high = max(low - 0.1 * (high - low) - 0.5, 0), high + 0.1 * (high - low) + 0.5
    picture, draw = _sheet(PLOT_HEIGHT + 160, f"{table.title}, {LABELS[metric]} in percent")
    left, right, top, bottom = 90, WIDTH - 280, 90, PLOT_HEIGHT + 90

    def point(column: str, value: float) -> tuple[float, float]:
        across = (columns.index(column) + 0.5) / len(columns)
        return left + (right - left) * across, bottom - (bottom - top) * (value - low) / (
            high - low
        )

    for step in range(6):
        value = low + (high - low) * step / 5
        y = point(columns[0], value)[1]
        draw.line([(left, y), (right, y)], GRID)
        draw.text((left - 8, y), f"{value:.1f}", SOFT, _font(15), anchor="rm")
    for column in columns:
        draw.text((point(column, low)[0], bottom + 10), column, SOFT, _font(15), anchor="mt")
    for number, name in enumerate(names):
        colour = COLOURS[number % len(COLOURS)]
        points = [point(each, placed[name, each]) for each in columns if (name, each) in placed]
        if len(points) > 1:
            draw.line(points, colour, 3, joint="curve")
        for x, y in points:
            draw.ellipse([x - 5, y - 5, x + 5, y + 5], colour)
        y = top + 26 * number
        draw.rectangle([right + 24, y - 6, right + 42, y + 6], colour)
        draw.text((right + 52, y), name, INK, _font(16), anchor="lm")
    return picture


def _sheet(height: int, title: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("RGB", (WIDTH, height), PAPER)
    draw = ImageDraw.Draw(picture)
    draw.text((SIDE, 16), title, INK, _font(22))
    return picture, draw


def _legend(draw: ImageDraw.ImageDraw, names: Sequence[str], y: float, x: float) -> None:
    for number, name in enumerate(names):
        draw.rectangle([x, y - 7, x + 16, y + 7], COLOURS[number % len(COLOURS)])
        draw.text((x + 24, y), name, INK, _font(16), anchor="lm")
        x += 44 + draw.textlength(name, _font(16))


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)
