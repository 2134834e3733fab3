"""Transforms equal their definition on images whose every value is known between the pixels too."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from minigrad.backend import Generator
from minigrad.data import transforms as t
from minigrad.data.seeding import Draws, drawing

ndimage = pytest.importorskip("scipy.ndimage", reason="SciPy is not installed (extra images)")

H, W = 21, 31
CENTRE = ((H - 1) / 2, (W - 1) / 2)
ROW, COLUMN = np.mgrid[:H, :W].astype(np.float64)
R, C = ROW - CENTRE[0], COLUMN - CENTRE[1]


def plane(row, column):
    """A tilted plane, which bilinear reading gives back exactly, wherever it is read."""
    return 0.25 + 0.011 * row - 0.007 * column


def ruler(row, column):
    """Marks every four columns on a slope: a picture with an up, a down, a left and a right."""
    return 0.5 + 0.3 * np.sin(column * np.pi / 4) + 0.01 * row


def image(function):
    return np.stack([function(R, C), 2 * function(R, C) - 0.3])


def inside(row, column, margin: float = 0.0):
    """Which points of the result are read inside of the source."""
    return (np.abs(row) <= CENTRE[0] - margin) & (np.abs(column) <= CENTRE[1] - margin)


def maps():
    """Name, what is done, and the analytic source of the point (r, c) counted from the centre."""
    for a in (-120.0, 10.0, 37.0, 90.0, 180.0):
        cos, sin = np.cos(np.deg2rad(a)), np.sin(np.deg2rad(a))
        yield (
            f"rotate {a:g}",
            lambda x, a=a, **k: t.rotate(x, a, **k),
            (R * cos + C * sin, C * cos - R * sin),
        )
    for down, right in ((3, 0), (0, -2), (1.4, 2.25)):
        yield (
            f"shift {down} {right}",
            lambda x, d=down, r=right, **k: t.shift(x, d, r, **k),
            (R - down, C - right),
        )
    for a in (-25.0, 10.0):
        s, c = np.sin(np.deg2rad(a)), np.cos(np.deg2rad(a))
        yield f"shear {a:g}", lambda x, a=a, **k: t.shear(x, a, **k), (R - C * s, C * c)
    for fr, fc in ((0.5, 0.5), (1.3, 0.8), (2.0, 2.0)):
        yield (
            f"zoom {fr} {fc}",
            lambda x, fr=fr, fc=fc, **k: t.zoom(x, fr, fc, **k),
            (R * fr, C * fc),
        )


MAPS = [pytest.param(*rest, id=name) for name, *rest in maps()]


@pytest.mark.parametrize(("act", "source"), MAPS)
def test_a_plane_is_mapped_exactly(act, source) -> None:
    out = act(image(plane))
    read = inside(*source, margin=1e-9)
    assert read.sum() > 100
    expected = plane(*source)
    np.testing.assert_allclose(out[0][read], expected[read], rtol=0, atol=1e-12)
    np.testing.assert_allclose(out[1][read], (2 * expected - 0.3)[read], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("act", "source"), MAPS)
@pytest.mark.parametrize(("order", "error"), [(1, 0.3 * (np.pi / 4) ** 2 / 8), (3, 3e-3)])
def test_a_ruler_is_mapped_to_within_what_its_curvature_allows(act, source, order, error) -> None:
    """Bilinear reading of a function errs by at most an eighth of its second derivative."""
    out = act(image(ruler), order=order)
    read = inside(*source, margin=0 if order == 1 else 5)
    read &= inside(*source, margin=1e-9)
    assert read.sum() > 40
    np.testing.assert_allclose(out[0][read], ruler(*source)[read], rtol=0, atol=error)


@pytest.mark.parametrize(("act", "source"), MAPS)
def test_order_0_reads_the_nearest_pixel(act, source) -> None:
    numbers = np.arange(H * W, dtype=np.float64).reshape(1, H, W)
    out = act(numbers, order=0)[0]
    row, column = source[0] + CENTRE[0], source[1] + CENTRE[1]
    # Halfway between two pixels, rounding decides: leave those points out.
    clear = (np.abs(row % 1 - 0.5) > 1e-9) & (np.abs(column % 1 - 0.5) > 1e-9)
    expected = numbers[
        0,
        np.clip(np.rint(row), 0, H - 1).astype(int),
        np.clip(np.rint(column), 0, W - 1).astype(int),
    ]
    assert clear.sum() > H * W / 4
    np.testing.assert_array_equal(out[clear], expected[clear])


PADS = {"nearest": "edge", "reflect": "symmetric", "constant": "constant", "wrap": "wrap"}


@pytest.mark.parametrize("fill_mode", list(PADS))
@pytest.mark.parametrize(("act", "source"), MAPS)
def test_what_lies_outside_is_the_padded_image(act, source, fill_mode: str) -> None:
    """The definition, written out: pad as NumPy does, then read bilinearly."""
    rng = np.random.default_rng(1)
    picture = rng.random((1, H, W))
    margin = 45
    options = {"constant_values": 0.7} if fill_mode == "constant" else {}
    padded = np.pad(picture[0], margin, mode=PADS[fill_mode], **options)
    row, column = source[0] + CENTRE[0] + margin, source[1] + CENTRE[1] + margin
    r0, c0 = np.floor(row).astype(int), np.floor(column).astype(int)
    fr, fc = row - r0, column - c0
    expected = (
        padded[r0, c0] * (1 - fr) * (1 - fc)
        + padded[r0, c0 + 1] * (1 - fr) * fc
        + padded[r0 + 1, c0] * fr * (1 - fc)
        + padded[r0 + 1, c0 + 1] * fr * fc
    )
    out = act(picture, fill_mode=fill_mode, cval=0.7)
    np.testing.assert_allclose(out[0], expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("order", [0, 1, 3])
def test_quarter_turns_are_exact(dtype, order: int) -> None:
    square = (np.random.default_rng(0).random((3, 9, 9)) * 255).astype(dtype)
    for quarters in range(-4, 6):
        out = t.rotate(square, 90 * quarters, order=order)
        assert out.dtype == dtype
        if order < 3:
            np.testing.assert_array_equal(out, np.rot90(square, quarters, axes=(1, 2)))
        else:
            np.testing.assert_allclose(
                out.astype(float), np.rot90(square, quarters, axes=(1, 2)).astype(float), rtol=1e-5
            )


@pytest.mark.parametrize(("down", "right"), [(0, 3), (2, 0), (-4, 5), (-1, -6)])
def test_shift_by_whole_pixels_is_a_roll(down: int, right: int) -> None:
    picture = np.random.default_rng(0).random((2, 8, 9))
    rolled = np.roll(picture, (down, right), axis=(1, 2))
    np.testing.assert_array_equal(t.shift(picture, down, right, "wrap"), rolled)
    kept = np.ones((8, 9), bool)
    kept[: max(down, 0)] = kept[8 + min(down, 0) :] = False
    kept[:, : max(right, 0)] = kept[:, 9 + min(right, 0) :] = False
    expected = np.where(kept, rolled, 0.25)
    np.testing.assert_array_equal(t.shift(picture, down, right, "constant", cval=0.25), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("order", [0, 1, 3])
def test_what_changes_nothing_changes_no_bit(dtype, order: int) -> None:
    batch = (np.random.default_rng(0).random((2, 3, 7, 8)) * 200).astype(dtype)
    for out in (
        t.rotate(batch, 0, order=order),
        t.rotate(batch, -720, order=order),
        t.shift(batch, 0, 0, order=order),
        t.shear(batch, 0, order=order),
        t.zoom(batch, 1, 1, order=order),
        t.RandomAffine(order=order)(batch),
        t.RandomCrop((7, 8))(batch),
        t.RandomHorizontalFlip(0)(batch),
        t.CenterCrop((7, 8))(batch),
        t.Pad(0)(batch),
        t.Resize((7, 8))(batch),
    ):
        assert out.dtype == dtype
        assert out.tobytes() == batch.tobytes()
        assert not np.shares_memory(out, batch)


def test_bytes_are_rounded_and_cut() -> None:
    steps = np.array([[[0, 255, 255, 0, 3, 4]]], np.uint8)
    np.testing.assert_array_equal(t.shift(steps, 0, 0.5)[0, 0], [0, 128, 255, 128, 2, 4])
    spline = t.shift(steps, 0, 0.5, order=3)[0, 0]  # overshoots beyond 255 and below 0
    assert spline[2] == 255


def test_four_moves_at_once_are_keras_product() -> None:
    """Zoom, shear, shift and turn, composed point by point."""
    angle, down, right, slide, zr, zc = 20.0, 1.5, -2.0, 8.0, 0.9, 1.1
    row, column = R * zr, C * zc
    s = np.deg2rad(slide)
    row, column = row - column * np.sin(s), column * np.cos(s)
    row, column = row - down, column - right
    a = np.deg2rad(angle)
    row, column = row * np.cos(a) + column * np.sin(a), column * np.cos(a) - row * np.sin(a)

    augment = t.RandomAffine(angle, right, down, slide, 0.1)
    for name, value in {
        "rotation": angle,
        "width_shift": right,
        "height_shift": down,
        "shear": slide,
    }.items():
        setattr(augment, name, (value, value))
    drawn = iter([angle, right, down, slide, zr, zc])

    class Fixed(Draws):
        def uniform(self, low=0.0, high=1.0):
            return np.array([next(drawn)])

    out = augment.apply(image(plane)[None], Fixed(np.zeros(1, np.uint64)))[0, 0]
    read = inside(row, column, 1e-9)
    assert read.sum() > 200
    np.testing.assert_allclose(out[read], plane(row, column)[read], rtol=0, atol=1e-12)


def test_ranges_are_keras_ranges() -> None:
    """Parts of the size below 1, pixels from 1 on; zoom around 1; degrees for the rest."""
    n = 400
    draws = np.arange(n)
    batch = np.tile(image(plane)[:1], (n, 1, 1, 1))
    middle = (slice(None), 0, H // 2, W // 2)

    def spread(transform):
        with drawing(Draws.of(3, 0, draws)):
            return (transform(batch)[middle] - 0.25) / np.array(-0.007)

    moved = spread(t.RandomShift(0.2, 0))
    assert np.abs(moved).max() == pytest.approx(0.2 * W, rel=0.02)
    moved = spread(t.RandomShift(4, 0))
    assert np.abs(moved).max() == pytest.approx(4, rel=0.02)
    moved = spread(t.RandomShift((1, 3), 0))
    assert moved.max() == pytest.approx(-1, rel=0.02)
    assert moved.min() == pytest.approx(-3, rel=0.02)
    for transform, low, high in (
        (t.RandomRotation(40).rotation, -40, 40),
        (t.RandomRotation((10, 20)).rotation, 10, 20),
        (t.RandomShear(0.2).shear, -0.2, 0.2),
        (t.RandomZoom(0.2).zoom, 0.8, 1.2),
        (t.RandomZoom((0.5, 3)).zoom, 0.5, 3),
        (t.RandomShift(0.2, 0.1).height_shift, -0.1, 0.1),
    ):
        assert transform == pytest.approx((low, high))


def test_crop_pad_and_flip() -> None:
    numbers = np.arange(2 * 5 * 6.0).reshape(2, 5, 6)
    np.testing.assert_array_equal(t.CenterCrop(3)(numbers), numbers[:, 1:4, 2:5])
    np.testing.assert_array_equal(t.CenterCrop((5, 2))(numbers), numbers[:, :, 2:4])
    for sides, width in (
        (2, ((0, 0), (2, 2), (2, 2))),
        ((1, 3), ((0, 0), (3, 3), (1, 1))),
        ((1, 2, 3, 0), ((0, 0), (2, 0), (1, 3))),
    ):
        for mode in ("constant", "edge", "reflect", "symmetric"):
            np.testing.assert_array_equal(
                t.Pad(sides, padding_mode=mode)(numbers), np.pad(numbers, width, mode=mode)
            )
    assert t.Pad(1, fill=7)(numbers)[0, 0, 0] == 7
    np.testing.assert_array_equal(t.RandomHorizontalFlip(1)(numbers), numbers[:, :, ::-1])
    np.testing.assert_array_equal(t.RandomVerticalFlip(1)(numbers), numbers[:, ::-1])
    batch = np.tile(numbers, (300, 1, 1, 1))
    flipped = t.RandomHorizontalFlip(0.3)(batch, Generator(0))
    turned = (flipped == batch[:, :, :, ::-1]).all((1, 2, 3))
    assert ((flipped == batch).all((1, 2, 3)) ^ turned).all()
    assert abs(turned.mean() - 0.3) < 4.5 * np.sqrt(0.21 / 300)


def test_every_window_of_a_random_crop_comes_up_equally_often() -> None:
    numbers = np.arange(30.0).reshape(1, 5, 6)
    batch = np.tile(numbers, (1200, 1, 1, 1))
    crops = t.RandomCrop((3, 4))(batch, Generator(0))
    first, counts = np.unique(crops[:, 0, 0, 0], return_counts=True)
    assert first.tolist() == [6.0 * top + left for top in range(3) for left in range(3)]
    assert np.abs(counts - 1200 / 9).max() < 4.5 * np.sqrt(1200 / 9)
    for crop in crops[:20]:
        top, left = divmod(int(crop[0, 0, 0]), 6)
        np.testing.assert_array_equal(crop, numbers[:, top : top + 3, left : left + 4])
    padded = t.RandomCrop(7, padding=1, padding_mode="edge")
    np.testing.assert_array_equal(
        padded(numbers[:, :, :5]), np.pad(numbers[:, :, :5], ((0, 0), (1, 1), (1, 1)), mode="edge")
    )


def test_values() -> None:
    bytes_ = np.array([[[0, 51, 255]]], np.uint8)
    scaled = t.Rescale(1 / 255)(bytes_)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, [[[0, 0.2, 1]]], rtol=1e-7)
    assert t.Rescale(2.0)(scaled.astype(np.float64)).dtype == np.float64
    colours = np.random.default_rng(0).random((4, 3, 2, 2), np.float32)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    out = t.Normalize(mean, std)(colours)
    assert out.dtype == np.float32
    np.testing.assert_allclose(
        out, (colours - mean[:, None, None]) / std[:, None, None], rtol=1e-6, atol=1e-6
    )


def test_to_tensor_and_resize_are_pillows() -> None:
    pillow = pytest.importorskip("PIL.Image", reason="Pillow is not installed (extra images)")
    pixels = np.random.default_rng(0).integers(0, 256, (10, 14, 3), np.uint8)
    picture = pillow.fromarray(pixels)
    expected = pixels.transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    for given in (picture, pixels):
        out = t.ToTensor()(given)
        assert out.dtype == np.float32
        np.testing.assert_array_equal(out, expected)
    assert t.ToTensor()(pillow.new("L", (4, 2), 255)).tolist() == [[[1.0] * 4] * 2]
    with pytest.raises(TypeError, match=r'of mode RGB or L, not RGBA: image.convert\("RGB"\)'):
        t.ToTensor()(pillow.new("RGBA", (4, 2)))

    chw = pixels.transpose(2, 0, 1)
    for size, width, height in ((5, 7, 5), ((20, 9), 9, 20), (3, 4, 3)):
        for name in ("nearest", "bilinear", "bicubic", "lanczos"):
            wanted = picture.resize((width, height), getattr(pillow.Resampling, name.upper()))
            np.testing.assert_array_equal(
                t.Resize(size, name)(chw), np.asarray(wanted).transpose(2, 0, 1)
            )
    floats = chw / np.float64(255)
    np.testing.assert_allclose(t.Resize(5)(floats), t.Resize(5)(chw) / 255, atol=1.01 / 255)
    # A ramp stays a ramp: pixel centres are kept, not corners.
    ramp = np.tile(np.arange(16.0), (1, 16, 1))
    halved = t.Resize(8, "bilinear")(ramp)[0, 0]
    np.testing.assert_allclose(np.diff(halved)[1:-1], 2, atol=1e-5)
    assert halved.mean() == pytest.approx(7.5, abs=1e-5)


def test_colour_changes_are_their_formulas() -> None:
    import colorsys

    rng = np.random.default_rng(0)
    pixels = rng.random((3, 5, 6))
    grey = np.tensordot([0.299, 0.587, 0.114], pixels, 1)

    def jitter(**options):
        return t.ColorJitter(**options)(pixels)

    np.testing.assert_allclose(jitter(brightness=(0.5, 0.5)), pixels * 0.5, atol=1e-15)
    np.testing.assert_allclose(jitter(brightness=(3, 3)), np.minimum(3 * pixels, 1), atol=1e-15)
    np.testing.assert_allclose(
        jitter(contrast=(0.25, 0.25)), 0.25 * pixels + 0.75 * grey.mean(), atol=1e-12
    )
    np.testing.assert_allclose(
        jitter(contrast=(2, 2)), np.clip(2 * pixels - grey.mean(), 0, 1), atol=1e-12
    )
    np.testing.assert_allclose(
        jitter(saturation=(0, 0)), np.broadcast_to(grey, (3, 5, 6)), atol=1e-12
    )
    for turn in (-0.5, -0.2, 0.1, 1 / 3, 0.5):
        expected = np.empty_like(pixels)
        for index in np.ndindex(5, 6):
            h, s, v = colorsys.rgb_to_hsv(*pixels[(slice(None), *index)])
            expected[(slice(None), *index)] = colorsys.hsv_to_rgb((h + turn) % 1, s, v)
        np.testing.assert_allclose(jitter(hue=(turn, turn)), expected, atol=1e-12)
    greys = np.full((3, 2, 2), 0.4)
    np.testing.assert_allclose(t.ColorJitter(hue=0.5, saturation=0.9)(greys), greys, atol=1e-15)
    single = np.array([[[0.2, 0.6]]])
    np.testing.assert_allclose(
        t.ColorJitter(contrast=(0.5, 0.5))(single), [[[0.3, 0.5]]], atol=1e-12
    )
    bytes_ = np.array([10, 200, 30], np.uint8).reshape(3, 1, 1)
    np.testing.assert_array_equal(
        t.ColorJitter(brightness=(1.5, 1.5))(bytes_).ravel(), [15, 255, 45]
    )


def test_the_order_of_colour_changes_varies() -> None:
    """Brightness to black first, then contrast against a mean of 0: black; else the grey mean."""
    batch = np.tile(np.array([0.0, 1.0]).reshape(1, 1, 1, 2), (200, 1, 1, 1))
    out = t.ColorJitter(brightness=(2, 2), contrast=(0, 0))(batch, Generator(0))[:, 0, 0, 0]
    # Doubled first and cut: the mean of 0 and 1, 0.5; or the mean first, then doubled: 1.
    assert set(np.round(out, 9)) == {0.5, 1.0}
    assert abs((out == 1.0).mean() - 0.5) < 4.5 * 0.5 / np.sqrt(200)


RANDOM = [
    t.RandomAffine(40, 0.2, 0.2, 20, 0.2),
    t.RandomAffine(40, 0.2, 0.2, 20, 0.2, order=3, fill_mode="reflect"),
    t.RandomCrop(5, padding=2),
    t.RandomHorizontalFlip(),
    t.RandomVerticalFlip(),
    t.ColorJitter(0.5, 0.5, 0.5, 0.2),
]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("transform", RANDOM, ids=[f"{i}" for i in range(len(RANDOM))])
def test_a_batch_gets_the_bits_of_its_images(transform, dtype) -> None:
    batch = (np.random.default_rng(0).random((7, 3, 9, 8)) * 255).astype(dtype)
    batch = batch if dtype == np.uint8 else batch / dtype(255)
    kept = batch.copy()
    with drawing(Draws.of(5, 2, np.arange(7))):
        together = transform(batch)
    for i in range(7):
        with drawing(Draws.of(5, 2, [i])):
            alone = transform(batch[i])
        assert alone.dtype == together.dtype == dtype
        np.testing.assert_array_equal(alone, together[i])
    np.testing.assert_array_equal(batch, kept)
    assert len({image.tobytes() for image in together}) > 1


def test_compose_and_seeds() -> None:
    batch = np.random.default_rng(0).random((4, 3, 9, 8))
    change = t.Compose([RANDOM[0], t.Compose([RANDOM[3], lambda x: x + 1]), RANDOM[2]])
    one, two = change(batch, Generator(3)), change(batch, Generator(3))
    np.testing.assert_array_equal(one, two)
    assert (change(batch, Generator(4)) != one).any()
    from minigrad.backend import manual_seed

    manual_seed(3)
    np.testing.assert_array_equal(change(batch), one)
    state = Generator(1)
    before = state.get_state()
    t.Compose([t.CenterCrop(3), t.Pad(1), t.Rescale(2)])(batch, state)
    assert state.get_state() == before  # what draws nothing leaves the generator alone


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: t.RandomRotation(10, "mirror"), "fill_mode must be one of"),
        (lambda: t.RandomRotation(10, order=2), "order must be 0"),
        (lambda: t.RandomRotation((20, 10)), r"rotation_range must be a number or \(low, high\)"),
        (lambda: t.RandomRotation(np.inf), "rotation_range must be"),
        (lambda: t.RandomZoom(1.0), "zoom_range 1.0 reaches a factor of 0"),
        (lambda: t.RandomZoom((0, 1)), "factors must be positive"),
        (lambda: t.RandomHorizontalFlip(1.5), "probability of a flip"),
        (lambda: t.RandomCrop(0), "size must be a positive int"),
        (lambda: t.CenterCrop((2, 3, 4)), "size must be a positive int"),
        (lambda: t.Pad((1, 2, 3)), "padding must be one, two or four"),
        (lambda: t.Pad(1, padding_mode="wrap"), "padding_mode must be one of"),
        (lambda: t.Resize(4, "cubic"), "interpolation must be one of"),
        (lambda: t.Normalize(0.5, 0), "std must be positive"),
        (lambda: t.ColorJitter(hue=0.6), "hue must be at most 0.5"),
        (lambda: t.ColorJitter(brightness=-1), "brightness must not be negative"),
    ],
)
def test_wrong_arguments_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda x: t.CenterCrop(9)(x), ValueError, "9 x 9 does not fit into an image of 4 x 5"),
        (lambda x: t.Pad(5, padding_mode="reflect")(x), ValueError, "there is nothing to mirror"),
        (lambda x: t.CenterCrop(2)(x[0]), ValueError, r"image\[None\] adds the channel axis"),
        (lambda x: t.CenterCrop(2)(x[:0]), ValueError, r"the shape is \[0, 4, 5\]"),
        (lambda x: t.rotate(x.astype(int), 3), TypeError, "needs uint8 or floats, not int64"),
        (lambda x: t.rotate(x.tolist(), 3), TypeError, "needs a NumPy array"),
        (lambda x: t.Normalize(0, 1)(x.astype(np.uint8)), TypeError, r"put Rescale\(1 / 255\)"),
        (lambda x: t.Normalize([1, 2], 1)(x), ValueError, "the images have 3 channels"),
        (lambda x: t.ToTensor()(np.zeros((3, 4, 5), np.uint8)), ValueError, "channels come first"),
        (lambda x: t.ToTensor()(x.tolist()), TypeError, "ToTensor needs a Pillow image or an arr"),
        (lambda x: t.ColorJitter(hue=0.1)(x[:1]), ValueError, "the images have 1 channels"),
        (lambda x: t.ColorJitter(0.1)(x[:2]), ValueError, "the images have 2 channels"),
        (lambda x: t.Compose([3]), TypeError, "that can be called, not 3"),
    ],
)
def test_wrong_images_are_refused(call, kind, message: str) -> None:
    with pytest.raises(kind, match=message):
        call(np.zeros((3, 4, 5)))


def test_without_scipy_or_pillow_the_cure_is_told(monkeypatch) -> None:
    picture = np.zeros((1, 4, 4), np.float32)
    for module, call in (
        ("scipy", lambda: t.rotate(picture, 5)),
        ("PIL", lambda: t.Resize(2)(picture)),
    ):
        with monkeypatch.context() as patched:
            patched.setitem(sys.modules, module, None)
            with pytest.raises(ImportError, match=r'pip install "minigrad-engine\[images\]"'):
                call()
