import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from tinydl.cli.digits import center, draw, read_digit
from tinydl.datasets import mnist
from tinydl.errors import FileFormatError

(_, _), (DIGITS, LABELS) = mnist.load_data()


def scan(digit, scale=5, margin=40):
    """A digit as a scanner would see it: dark on light, larger, off the middle."""
    large = Image.fromarray(digit).resize((28 * scale, 28 * scale), Image.Resampling.BICUBIC)
    paper = Image.new("L", (28 * scale + margin, 28 * scale + 3 * margin), 255)
    paper.paste(Image.eval(large, lambda value: 255 - value), (margin, 0))
    return paper


@pytest.fixture
def saved(tmp_path):
    """Saves a picture, and returns what `read_digit` makes of the file."""

    def read_saved(image, suffix=".png"):
        path = tmp_path / f"digit{suffix}"
        image.save(path)
        return read_digit(path)

    return read_saved


def test_a_picture_as_in_mnist_stays_as_it_is(saved):
    np.testing.assert_allclose(saved(Image.fromarray(DIGITS[0])), DIGITS[0] / 255, atol=0.005)


def test_its_negative_is_turned_round(saved):
    np.testing.assert_allclose(saved(Image.fromarray(255 - DIGITS[0])), DIGITS[0] / 255, atol=0.005)


def test_a_scan_gets_back_its_scale_and_place(saved):
    # Moving a digit by one pixel changes it by 0.06 in the median, to compare.
    differences = [np.abs(saved(scan(digit)) - digit / 255).mean() for digit in DIGITS[:50]]
    assert np.median(differences) < 0.03


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [("1", ".png"), ("L", ".jpg"), ("P", ".gif"), ("RGB", ".bmp"), ("CMYK", ".tif"), ("F", ".tif")],
)
def test_every_mode_shows_the_same_digit(saved, mode, suffix):
    expected = saved(scan(DIGITS[1]))
    assert np.abs(saved(scan(DIGITS[1]).convert(mode), suffix) - expected).mean() < 0.03


def test_sixteen_bits_a_pixel(saved):
    grey = scan(DIGITS[1])
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    np.testing.assert_allclose(saved(deep), saved(grey), atol=0.01)


@pytest.mark.parametrize("ink", [0, 255])
def test_ink_on_nothing(saved, ink):
    grey = scan(DIGITS[1])
    transparent = Image.merge(
        "LA", [Image.new("L", grey.size, ink), Image.eval(grey, lambda v: 255 - v)]
    )
    np.testing.assert_allclose(saved(transparent), saved(grey), atol=0.01)


def test_a_photograph_is_turned_as_its_camera_says(saved, tmp_path):
    upright = scan(DIGITS[1])
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn me a quarter clockwise"
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_allclose(read_digit(tmp_path / "turned.png"), saved(upright), atol=0.01)


@pytest.mark.parametrize("size", [(28, 28), (50, 40), (1, 1)])
def test_an_empty_picture_is_refused(saved, size):
    with pytest.raises(FileFormatError, match="alike"):
        saved(Image.new("L", size, 200))


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n"])
def test_a_foreign_file_is_refused(tmp_path, content):
    path = tmp_path / "digit.png"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"digit\.png"):
        read_digit(path)


def test_a_truncated_picture_is_refused(tmp_path):
    path = tmp_path / "digit.png"
    scan(DIGITS[0]).save(path)
    path.write_bytes(path.read_bytes()[:-600])
    with pytest.raises(FileFormatError, match="whole"):
        read_digit(path)


@pytest.mark.parametrize("size", [(300, 4), (4, 300), (29, 28), (2, 1)])
def test_any_shape_gives_a_field(saved, size):
    image = Image.new("L", size)
    image.putpixel((size[0] // 2, size[1] // 2), 255)
    field = saved(image)
    assert field.shape == (28, 28)
    assert field.dtype == np.float32
    assert 0 <= field.min() <= field.max() <= 1


@given(arrays(float, (20, 13), elements=st.floats(0.5, 1)))
def test_center_keeps_the_digit_and_balances_it(digit):
    field = center(digit)
    assert np.isclose(field.sum(), digit.sum(), rtol=1e-4)
    for axis in (0, 1):
        middle = np.arange(28) @ field.sum(axis=1 - axis) / field.sum()
        assert abs(middle - 14) <= 0.51


def test_center_keeps_a_lopsided_digit_inside():
    digit = np.zeros((20, 20))
    digit[0, 19] = digit[19, 0] = 0.01
    digit[0, 0] = 1
    assert np.isclose(center(digit).sum(), digit.sum())


@given(arrays(bool, (8, 6)))
def test_drawn_dots_are_the_pixels(pixels):
    place_of_bit = [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (3, 0), (3, 1)]
    for i, line in enumerate(draw(pixels)):
        for j, character in enumerate(line):
            for bit, (row, column) in enumerate(place_of_bit):
                dot = bool(ord(character) >> bit & 1)
                assert dot == pixels[4 * i + row, 2 * j + column]
