"""`prepare` as an ONNX graph, so that an exported model takes pictures of any size."""

from snapshelf.errors import ModelError
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import onnx
    import onnx.parser

__all__ = ["OPSET", "PREPARED", "preprocessing_graph"]

OPSET = 18
"""The first in which `Resize` is antialiased."""

PREPARED = "inputs"
"""The graph's output, and the input of the network's graph."""

MODES = {"bilinear": "linear", "bicubic": "cubic"}
SCALES = {"pad": "ReduceMin", "crop": "ReduceMax", "squash": "Identity"}

SCALED = """
        sides = Cast <to = 11> (shape)
        target = Constant <value = double[2] {{{target}}}> ()
        ratios = Div (target, sides)
        ratio = {scale} (ratios)
        exact = Mul (sides, ratio)
        rounded = Round (exact)
        whole = Cast <to = 7> (rounded)
        one = Constant <value = int64[1] {{1}}> ()
        scaled = Max (whole, one)
        planes = Transpose <perm = [0, 3, 1, 2]> (pictures)
        leading = Shape <end = 2> (planes)
        sizes = Concat <axis = 0> (leading, scaled)
        resized = Resize <mode = "{mode}", antialias = 1, cubic_coeff_a = -0.5,
            coordinate_transformation_mode = "half_pixel"> (planes, , , sizes)
        levels = Cast <to = 6> (resized)
"""
"""The whole picture, scaled: sizes in float64, as Python reckons, so that they round alike."""

CUT = """
        shown = Min (scaled, size)
        surplus = Sub (scaled, shown)
        axes = Constant <value = int64[2] {{2, 3}}> ()
        halves = Constant <value = int64[1] {{2}}> ()
        start = Div (surplus, halves)
        end = Add (start, shown)
        late_end = Sub (scaled, start)
        late_start = Sub (late_end, shown)
        early = Slice (levels, start, end, axes)
        late = Slice (levels, late_start, late_end, axes)
        both = Add (early, late)
        up = Constant <value = int32 {{1}}> ()
        sum = Add (both, up)
        half = Constant <value = int32 {{2}}> ()
        middle = Div (sum, half)
"""
"""Its middle. An odd surplus puts that between two pixels, whose mean is taken."""

FILLED = """
        background = Constant <value = int32[1, 3, 1, 1] {{{background}}}> ()
        difference = Sub ({middle}, background)
        visible = Shape <start = 2> (difference)
        missing = Sub (size, visible)
        sides_of_it = Constant <value = int64[1] {{2}}> ()
        before = Div (missing, sides_of_it)
        after = Sub (missing, before)
        none = Constant <value = int64[2] {{0, 0}}> ()
        pads = Concat <axis = 0> (none, before, none, after)
        framed = Pad (difference, pads)
        filled = Add (framed, background)
"""
"""On the background: `Pad` has one value only, so it pads the difference with 0."""

GRAPH = """
<ir_version: 10, opset_import: ["": {opset}]>
preprocessing (uint8[batch, height, width, 3] pictures)
    => (uint8[batch, {height}, {width}, 3] {prepared})
{{
    shape = Shape <start = 1, end = 3> (pictures)
    size = Constant <value = int64[2] {{{height}, {width}}}> ()
    equal = Equal (shape, size)
    both_equal = Cast <to = 6> (equal)
    least = ReduceMin <keepdims = 0> (both_equal)
    fits = Cast <to = 9> (least)
    {prepared} = If (fits) <
        then_branch = as_it_is () => (uint8[batch, {height}, {width}, 3] same)
        {{
            same = Identity (pictures)
        }},
        else_branch = fitted () => (uint8[batch, {height}, {width}, 3] different)
        {{
            {steps}
            bytes = Cast <to = 2> ({last})
            different = Transpose <perm = [0, 2, 3, 1]> (bytes)
        }}
    >
}}
"""


def preprocessing_graph(spec: Preprocessing) -> onnx.ModelProto:
    """Write `prepare` in ONNX.

    A picture that has the input's size passes untouched. Others come out within two levels of
    what `prepare` gives. Two kinds differ by some levels more, where they change fast: those more
    than six times too large, since `prepare` first averages them down in whole steps, and those
    whose middle is taken, where that lies between two pixels.

    Args:
        spec: How pictures become inputs; bilinear or bicubic.

    Returns:
        A model with the input ``pictures``, (B, H, W, 3) uint8, RGB, of any B, H and W, and the
        output `PREPARED`, (B, S, T, 3) uint8, RGB.

    Raises:
        ModelError: If ONNX has no antialiased resizing of that kind.
    """
    if spec.interpolation not in MODES:
        raise ModelError(
            f"the interpolation {spec.interpolation} cannot be exported, since ONNX has none such "
            f"that is antialiased; expected {' or '.join(MODES)}"
        )
    height, width = spec.size
    cuts = spec.fit == "crop" or spec.crop_pct < 1
    middle = "middle" if cuts else "levels"
    fills = spec.fit == "pad"
    steps = SCALED + CUT * cuts + FILLED * fills
    text = GRAPH.format(
        opset=OPSET,
        height=height,
        width=width,
        prepared=PREPARED,
        last="filled" if fills else middle,
        steps=steps.format(
            target=f"{height / spec.crop_pct!r}, {width / spec.crop_pct!r}",
            scale=SCALES[spec.fit],
            mode=MODES[spec.interpolation],
            middle=middle,
            background=", ".join(map(str, spec.background)),
        ),
    )
    return onnx.parser.parse_model(text)
