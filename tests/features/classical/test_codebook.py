"""Codebooks, their files, and the encoder: pictures in, embeddings out."""

import cv2
import numpy as np
import pytest
from safetensors.numpy import save_file

from snapshelf.errors import ModelError
from snapshelf.features.classical.codebook_encoder import CodebookEncoder
from snapshelf.features.classical.codebook_settings import FisherSettings, VladSettings
from snapshelf.features.classical.dense_sift import DenseSift
from snapshelf.features.classical.fisher_codebook import FisherCodebook
from snapshelf.features.classical.fisher_vector import fisher_vector
from snapshelf.features.classical.gaussian_mixture import GaussianMixture
from snapshelf.features.classical.hessian_sift import HessianSift
from snapshelf.features.classical.local_features import sample_descriptors
from snapshelf.features.classical.principal_components import learn_projection
from snapshelf.features.classical.vlad import vlad
from snapshelf.features.classical.vlad_codebook import VladCodebook
from snapshelf.features.encoder import Domain
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.tensor_file import read_tensors, write_tensors

SPEC = Preprocessing(size=(64, 64), mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def texture(seed, size=64):
    """Blobs and strokes on white, as unlike another seed's as two products."""
    random = np.random.default_rng(seed)
    picture = np.full((size, size, 3), 255, np.uint8)
    for _ in range(14):
        place, end = random.integers(4, size - 4, (2, 2)).tolist()
        shade = random.integers(0, 200, 3).tolist()
        if random.random() < 0.5:
            cv2.circle(picture, place, int(random.integers(2, 9)), shade, -1)
        else:
            cv2.line(picture, place, end, shade, int(random.integers(1, 4)))
    return picture


PICTURES = [texture(seed) for seed in range(10)]


def descriptors(features):
    return sample_descriptors(PICTURES, features, per_picture=60, seed=0)


def fisher_codebook():
    """Random, so that tests of the encoder need no scikit-learn."""
    random = np.random.default_rng(0)
    projection = learn_projection(descriptors(DENSE), 6)
    mixture = GaussianMixture(
        np.full(4, 0.25, np.float32),
        random.normal(0, 0.2, (4, 6)).astype(np.float32),
        np.full((4, 6), 0.05, np.float32),
    )
    return FisherCodebook(projection, mixture)


DENSE, HESSIAN = DenseSift(step=6, patches=(16, 24)), HessianSift()
ENCODERS = {
    "fisher": CodebookEncoder(DENSE, fisher_codebook(), SPEC, fingerprint="f"),
    "vlad": CodebookEncoder(
        HESSIAN,
        VladCodebook.learn(descriptors(HESSIAN), components=4, dimension=8, seed=0),
        SPEC,
        fingerprint="v",
    ),
}


def embed(encoder, *pictures):
    return encoder.encode(
        np.stack([encoder.prepare(picture, Domain.SHOP) for picture in pictures]), Domain.SHOP
    )


@pytest.mark.parametrize("name", ENCODERS)
class TestEncoder:
    def test_embeddings_are_of_the_stated_form(self, name):
        encoder = ENCODERS[name]
        embeddings = embed(encoder, *PICTURES)
        assert embeddings.dtype == np.float32
        assert embeddings.shape == (len(PICTURES), encoder.dimension)
        assert encoder.dimension == {"fisher": 2 * 4 * 6, "vlad": 4 * 8}[name]
        np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)

    def test_the_batch_and_the_side_make_no_difference_at_all(self, name):
        encoder = ENCODERS[name]
        together = embed(encoder, *PICTURES)
        for picture, embedding in zip(PICTURES, together, strict=True):
            alone = encoder.encode(encoder.prepare(picture, Domain.STREET)[None], Domain.STREET)
            assert np.array_equal(alone[0], embedding)

    @pytest.mark.parametrize("shape", [(1, 1), (1, 300), (64, 64), (500, 30)])
    @pytest.mark.parametrize("value", [0, 255])
    def test_a_plain_picture_on_its_own_ground_is_similar_to_none(self, name, shape, value):
        spec = Preprocessing(
            size=(64, 64), mean=SPEC.mean, std=SPEC.std, background=(value, value, value)
        )
        encoder = ENCODERS[name]
        plain = CodebookEncoder(encoder.features, encoder.codebook, spec, fingerprint="")
        assert not embed(plain, np.full((*shape, 3), value, np.uint8)).any()

    def test_the_same_product_in_another_light_is_the_nearest(self, name):
        gallery = embed(ENCODERS[name], *PICTURES)
        changed = [
            np.clip(cv2.GaussianBlur(picture, (0, 0), 0.6) * 0.8 + 12, 0, 255).astype(np.uint8)
            for picture in PICTURES
        ]
        queries = embed(ENCODERS[name], *changed)
        assert (queries @ gallery.T).argmax(axis=1).tolist() == list(range(len(PICTURES)))


def test_aggregation_is_projection_then_vector_then_signed_root_then_length():
    values = descriptors(DENSE)[:40]
    for codebook, vector in (
        (
            ENCODERS["fisher"].codebook,
            lambda x: fisher_vector(x, ENCODERS["fisher"].codebook.mixture),
        ),
        (ENCODERS["vlad"].codebook, lambda x: vlad(x, ENCODERS["vlad"].codebook.centroids)),
    ):
        projection = codebook.projection
        raw = vector((values - projection.mean) @ projection.axes).astype(float)
        root = np.sign(raw) * np.sqrt(np.abs(raw))
        np.testing.assert_allclose(
            codebook.aggregate(values), root / np.linalg.norm(root), atol=1e-5
        )
        assert not codebook.aggregate(values[:0]).any()


def test_intra_normalisation_reaches_the_embedding():
    codebook = ENCODERS["vlad"].codebook
    intra = VladCodebook(codebook.projection, codebook.centroids, intra_normalise=True)
    values = descriptors(HESSIAN)[:50]
    assert not np.allclose(codebook.aggregate(values), intra.aggregate(values), atol=1e-3)


class TestLearning:
    def test_a_mixture_is_learned_of_projected_descriptors(self):
        pytest.importorskip("sklearn")
        values = descriptors(DENSE)
        one, two = (
            FisherCodebook.learn(values, components=3, dimension=5, seed=1) for _ in range(2)
        )
        assert one.words.shape == (3, 5)
        assert one.dimension == 30
        for name, tensor in one.tensors().items():
            np.testing.assert_array_equal(tensor, two.tensors()[name])
        # Of what it was learned of as a whole, the mixture expects every gradient to be 0.
        whole = fisher_vector(one.projection.project(values), one.mixture)
        part = fisher_vector(one.projection.project(values[:60]), one.mixture)
        assert np.abs(whole).max() < 0.2 * np.abs(part).max()

    def test_a_draw_is_without_replacement_in_order_and_bounded(self):
        full = [DENSE.describe(picture) for picture in PICTURES]
        drawn = sample_descriptors(iter(PICTURES), DENSE, per_picture=25, seed=5)
        assert len(drawn) == 25 * len(PICTURES)
        for every, some in zip(full, np.split(drawn, len(PICTURES)), strict=True):
            where = [int(np.abs(every - row).max(axis=1).argmin()) for row in some]
            np.testing.assert_array_equal(every[where], some)
        np.testing.assert_array_equal(
            drawn, sample_descriptors(PICTURES, DENSE, per_picture=25, seed=5)
        )
        assert not np.array_equal(
            drawn, sample_descriptors(PICTURES, DENSE, per_picture=25, seed=6)
        )
        everything = sample_descriptors(PICTURES, DENSE, per_picture=10_000, seed=5)
        np.testing.assert_array_equal(everything, np.concatenate(full))

    def test_a_picture_without_descriptors_adds_none(self):
        plain = np.full((64, 64, 3), 255, np.uint8)
        assert sample_descriptors([plain], DENSE, per_picture=5, seed=0).shape == (0, 128)

    def test_no_picture_or_no_draw_is_refused(self):
        with pytest.raises(ValueError, match="pictures must be at least one, got none"):
            sample_descriptors([], DENSE, per_picture=5, seed=0)
        with pytest.raises(ValueError, match="per_picture must be at least 1, got 0"):
            sample_descriptors(PICTURES, DENSE, per_picture=0, seed=0)


@pytest.mark.parametrize("name", ENCODERS)
class TestFile:
    def test_what_is_written_is_read(self, name, tmp_path):
        codebook = ENCODERS[name].codebook
        write_tensors(tmp_path / "c.safetensors", codebook.tensors())
        again = type(codebook).from_tensors(read_tensors(tmp_path / "c.safetensors"))
        values = descriptors(DENSE)[:30]
        np.testing.assert_array_equal(again.aggregate(values), codebook.aggregate(values))

    @pytest.mark.parametrize("keep", [0, 4, 100])
    def test_a_file_that_ends_early_is_refused(self, name, tmp_path, keep):
        path = tmp_path / "c.safetensors"
        write_tensors(path, ENCODERS[name].codebook.tensors())
        path.write_bytes(path.read_bytes()[:keep])
        with pytest.raises(ModelError, match="cannot be read as safetensors"):
            read_tensors(path)

    def test_words_of_another_length_are_refused(self, name, tmp_path):
        codebook = ENCODERS[name].codebook
        tensors = codebook.tensors()
        tensors["projection.axes"] = tensors["projection.axes"][:, :3]
        with pytest.raises(ValueError, match=r"visual words must be \(K, 3\)"):
            type(codebook).from_tensors(tensors)


def test_files_of_another_kind_are_refused(tmp_path):
    path = tmp_path / "c.safetensors"
    with pytest.raises(ModelError, match="cannot be read: No such file"):
        read_tensors(path)
    with pytest.raises(ModelError, match="cannot be read: Is a directory"):
        read_tensors(tmp_path)
    save_file({"centroids": np.zeros((2, 2))}, path)
    with pytest.raises(ModelError, match="centroids must be float32, got float64"):
        read_tensors(path)


@pytest.mark.parametrize("kind", [FisherSettings, VladSettings])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"components": 0}, "components must be at least 1, got 0"),
        ({"pictures": 0}, "pictures must be at least 1, got 0"),
        ({"per_picture": 0}, "per_picture must be at least 1, got 0"),
        ({"dimension": 129}, r"dimension must be in \[1, 128\], got 129"),
        ({"size": 8}, r"size must be in \[16, 2048\], got 8"),
        ({"seed": -1}, r"seed must be in \[0, 2 \*\* 31\), got -1"),
    ],
)
def test_settings_out_of_range_are_refused(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind(**settings)
