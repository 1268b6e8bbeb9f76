"""WebDataset shards, as their own library writes them."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from imbalance_lab.data import ImageFiles, image_folder, image_shards
from imbalance_lab.data.copies import describe_copies, read_contents
from imbalance_lab.data.shard_index import find_shards, read_shard
from imbalance_lab.samplers import SampledIndices
from imbalance_lab.testing import check_source


def png(number, size=12):
    pixels = np.random.default_rng(number).integers(0, 256, (size, size, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def write(file, samples):
    """A tar file of (name, content), as any program may write it."""
    with tarfile.open(file, "w") as tar:
        for name, content in samples:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file


@pytest.fixture
def index(tmp_path):
    return str(tmp_path / "index")


@pytest.fixture
def shards(tmp_path):
    """Three shards of twelve images and a test shard, written by webdataset."""
    webdataset = pytest.importorskip("webdataset")
    for shard in range(4):
        name = f"test-{shard:03d}.tar" if shard == 3 else f"train-{shard:03d}.tar"
        with webdataset.TarWriter(str(tmp_path / name)) as tar:
            for number in range(12 * shard, 12 * shard + 12):
                tar.write({"__key__": f"{number:06d}", "png": png(number), "cls": int(number % 4 == 0)})
    return tmp_path


def samples_of(shard):
    """What webdataset reads; from a stream that is ours, as it leaves its own open."""
    tariterators = pytest.importorskip("webdataset.tariterators")
    with shard.open("rb") as stream:
        return list(tariterators.group_by_keys(tariterators.tar_file_expander([{"url": str(shard), "stream": stream}])))


def test_examples_are_those_of_the_library_and_of_a_folder(shards, index, tmp_path):
    theirs = [each for shard in range(3) for each in samples_of(shards / f"train-{shard:03d}.tar")]
    options = {"val_fraction": 0, "image_size": 12}
    splits = image_shards(
        train=str(shards / "train-{000..002}.tar"), test=str(shards / "test-*.tar"), index=index, **options
    )
    check_source(splits)
    assert splits.classes == ("0", "1")
    everything = torch.arange(36)
    batch = splits.train.__getitems__(SampledIndices(everything, everything))
    for ours, target, sample in zip(batch.input, batch.target, theirs, strict=True):
        assert np.array_equal(ours.permute(1, 2, 0).numpy(), np.asarray(Image.open(io.BytesIO(sample["png"]))))
        assert splits.classes[target] == sample["cls"].decode()
    assert splits.train.names(everything[:2]) == ["train-000.tar/000000.png", "train-000.tar/000001.png"]
    for number in range(48):
        folder = tmp_path / "folder" / ("test" if number >= 36 else "train") / str(int(number % 4 == 0))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:06d}.png").write_bytes(png(number))
    of_folder = image_folder(root=str(tmp_path / "folder"), **options)
    assert splits.schema == of_folder.schema
    assert torch.equal(splits.test.targets.sort().values, of_folder.test.targets.sort().values)
    assert np.array_equal(np.sort(splits.train.content_hashes()), np.sort(of_folder.train.content_hashes()))


def test_splits_are_stratified_and_the_index_is_found_again(shards, index, monkeypatch):
    options = {"train": str(shards / "train-*.tar"), "val_fraction": 0.25, "test_fraction": 0.25, "index": index}
    splits = image_shards(**options)
    assert splits.val is not None
    assert [splits.class_counts.tolist(), splits.val.targets.bincount().tolist()] == [[14, 5], [6, 2]]
    monkeypatch.setattr("imbalance_lab.data.shard_index.read_shard", lambda *_: pytest.fail("read again"))
    assert image_shards(**options).fingerprint == splits.fingerprint


def test_a_changed_shard_is_indexed_anew(tmp_path, index):
    def samples(label):
        return [
            (f"{n}.{suffix}", content)
            for n in range(20)
            for suffix, content in (("png", png(n)), ("cls", label[n % 2]))
        ]

    file = write(tmp_path / "a.tar", samples([b"0", b"1"]))
    assert image_shards(train=str(file), index=index).classes == ("0", "1")
    write(file, samples([b"10", b"9"]))
    assert image_shards(train=str(file), index=index).classes == ("9", "10")


def test_labels_may_stand_in_json_and_names_in_folders(tmp_path, index):
    samples = []
    for number in range(20):
        record = {"label": "wrong", "kind": number % 2}
        samples += [(f"a.b/{number}.v1.png", png(number)), (f"a.b/{number}.json", json.dumps(record).encode())]
    file = write(tmp_path / "a.tar", [("README", b"no sample"), *samples])
    splits = image_shards(train=str(file), label_key="kind", index=index)
    assert splits.classes == ("0", "1")
    assert sum(map(len, splits.parts.values())) == 20


def test_check_decodes_all_and_finds_copies(tmp_path, index):
    images = [png(n) for n in range(20)]
    images[19] = images[3]
    images[7] = images[7][:200]
    samples = [
        (f"{n}.{kind}", images[n] if kind == "png" else str(n % 2).encode())
        for n in range(20)
        for kind in ("png", "cls")
    ]
    file = write(tmp_path / "a.tar", samples)
    with pytest.raises(ValueError, match=r"a\.tar/7\.png is broken or truncated"):
        image_shards(train=str(file), index=index, image_size=12)
    images[7] = png(7)
    write(file, [(name, images[7]) if name == "7.png" else (name, content) for name, content in samples])
    splits = image_shards(train=str(file), index=index, image_size=12)
    assert isinstance(splits.train, ImageFiles)
    assert read_contents(splits.parts, thorough=False).numbers == {}
    contents = read_contents(splits.parts, thorough=True)
    told = list(describe_copies(splits.parts, contents, thorough=True))
    assert len(told) == 1


@pytest.mark.parametrize("keep", [700, 5 * 512, 20 * 512 + 100])
def test_truncated_shards_are_named(tmp_path, index, keep):
    file = write(
        tmp_path / "a.tar",
        [(f"{n}.{kind}", png(n) if kind == "png" else b"0") for n in range(9) for kind in ("png", "cls")],
    )
    content = file.read_bytes()
    assert keep < len(content)
    file.write_bytes(content[:keep])
    with pytest.raises(ValueError, match=r"a\.tar is damaged"):
        image_shards(train=str(file), index=index)


def test_a_damaged_header_is_not_taken_for_the_end(tmp_path):
    file = write(
        tmp_path / "a.tar",
        [(f"{n}.{kind}", png(n) if kind == "png" else b"0") for n in range(9) for kind in ("png", "cls")],
    )
    with tarfile.open(file) as tar:
        at = tar.getmembers()[8].offset
    content = bytearray(file.read_bytes())
    content[at : at + 512] = b"\x07" * 512
    file.write_bytes(content)
    with pytest.raises(ValueError, match=rf"a\.tar is damaged or truncated at byte {at:,}"):
        list(read_shard(file, "label"))


PAIRS = [
    (f"{n}.{kind}", png(n) if kind == "png" else str(n % 2).encode()) for n in range(12) for kind in ("png", "cls")
]


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        ([*PAIRS, ("x/7.png", png(7))], r"a\.tar: sample 'x/7' has no label"),
        (
            [*PAIRS, ("8.png", png(7)), ("8.jpg", png(7)), ("8.cls", b"0")],
            r"sample '8' has two images, 8\.png and 8\.jpg",
        ),
        ([*PAIRS, ("n.png", png(1)), ("n.json", b"{")], r"a\.tar: n\.json is not JSON"),
        ([*PAIRS, ("n.png", png(1)), ("n.json", b'{"label": [1]}')], r"n\.json has label=\[1\], which is not a class"),
        ([("a.txt", b"words")], r"a\.tar has no image with a label"),
    ],
)
def test_samples_that_cannot_be_used_are_named(tmp_path, index, samples, says):
    file = write(tmp_path / "a.tar", samples)
    with pytest.raises(ValueError, match=says):
        image_shards(train=str(file), index=index)


def test_what_is_no_shard_is_refused(tmp_path, index):
    packed = tmp_path / "a.tar"
    with tarfile.open(packed, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("0.png"))
    with pytest.raises(ValueError, match="is it compressed"):
        image_shards(train=str(packed), index=index)
    with pytest.raises(FileNotFoundError, match=r"data.val=.*b-01\.tar is not a file"):
        image_shards(train=str(packed), val=str(tmp_path / "b-{01..03}.tar"), index=index)
    with pytest.raises(ValueError, match=r"a\.tar is in data.train and in data.test"):
        image_shards(train=str(packed), test=str(packed), index=index)


def test_a_class_that_training_lacks_is_named_with_its_file(tmp_path, index):
    train, test = write(tmp_path / "a.tar", PAIRS), write(tmp_path / "b.tar", [("0.png", png(0)), ("0.cls", b"2")])
    with pytest.raises(ValueError, match=r"b\.tar/0\.png of data.test is of class '2', which no image of data.train"):
        image_shards(train=str(train), test=str(test), index=index)
    splits = image_shards(train=str(train), index=index)
    with pytest.raises(ValueError, match=r"b\.tar/0\.png: '2' is not a class of the model"):
        image_shards(train=str(train), test=str(test), index=index, schema=splits.schema)


def test_ranges_keep_their_zeros(tmp_path):
    for name in ("a-08", "a-09", "a-10"):
        (tmp_path / f"{name}.tar").touch()
    found = find_shards(str(tmp_path / "a-{08..10}.tar"), "data.train")
    assert [Path(each).name for each in found] == ["a-08.tar", "a-09.tar", "a-10.tar"]
    with pytest.raises(ValueError, match="names a shard twice"):
        find_shards([str(tmp_path / "a-*.tar"), str(tmp_path / "a-09.tar")], "data.train")
