"""Words in a picture, by RapidOCR's PP-OCR models (Chinese and English), run by OpenVINO.

Knows pixels; knows nothing of pages or files. The models lie in RapidOCR's wheel, so nothing
is fetched. RapidOCR's own OpenVINO session compiles for shapes of any size, which takes twice
the memory; here detection is compiled for one frame at a time (docs/decisions/015-pdf-and-ocr.md).
"""

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import openvino
from rapidocr import EngineType, RapidOCR
from rapidocr.ch_ppocr_cls import TextClassifier
from rapidocr.ch_ppocr_det import TextDetector
from rapidocr.ch_ppocr_rec import TextRecInput, TextRecognizer
from rapidocr.utils.process_img import get_rotate_crop_image

_FRAME_STEP = 160
_FRAME_SIDE = 1120
_SMALL_SIDE = 960
_BATCH = 1
_MIN_SCORE = 0.5
_SAMPLE = 6
_TALL = 1.5
_TALL_SHARE = 0.6
_SURE = 0.75


@dataclass(frozen=True, slots=True)
class OcrLine:
    """A run of words with its place in pixels from the top left corner of the picture as given,
    its height across the reading direction, and the certainty of the model, 0 to 1."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    score: float


@dataclass(frozen=True, slots=True)
class OcrPage:
    """`quarters`: by how many quarter turns to the left the picture must be turned to be read.
    Boxes of `lines` are those of the picture as given; `upright` are those of the turned one."""

    lines: tuple[OcrLine, ...]
    upright: tuple[OcrLine, ...]
    quarters: int = 0


class OcrEngine:
    """The three models: where text is, which way up it is, what it says. Threads wait for each
    other: a request of a model, and the buffer of its answer, serve one at a time."""

    def __init__(self, threads: int = 1) -> None:
        names = ("Det", "Cls", "Rec")
        params = {f"{name}.engine_type": EngineType.OPENVINO for name in names}
        config = RapidOCR(params={**params, "Global.log_level": "critical"}).cfg
        for name in names:
            config[name].engine_cfg = config.EngineConfig.openvino
            config[name].model_root_dir = config.Global.model_root_dir
        # Pictures come in the size of a frame: the detector itself shall not scale them.
        config.Det.limit_type, config.Det.limit_side_len = "max", 10 * _FRAME_SIDE
        config.Rec.rec_batch_num, config.Rec.font_path = _BATCH, None
        self._detector = TextDetector(config.Det)
        self._classifier = TextClassifier(config.Cls)
        self._recogniser = TextRecognizer(config.Rec)
        for part, fixed in ((self._detector, True), (self._classifier, False), (self._recogniser, False)):
            part.session = _Session(part.session.model, threads, fixed)
        self._lock = threading.Lock()

    def read(self, image: np.ndarray) -> OcrPage:
        """All lines of a picture, uint8 (height, width, 3), in no promised order."""
        with self._lock:
            return self._read(image)

    def _read(self, image: np.ndarray) -> OcrPage:
        quads = self._find(image)
        quarters = self._quarters(image, quads)
        if quarters:
            image = np.ascontiguousarray(np.rot90(image, quarters))
            quads = self._find(image)
        upright = tuple(self._read_lines(image, quads))
        size = image.shape[1], image.shape[0]
        lines = tuple(_turn_back(line, quarters, size) for line in upright)
        return OcrPage(lines, upright, quarters)

    def _find(self, image: np.ndarray) -> list[np.ndarray]:
        """The corners of each run of text, clockwise from its upper left."""
        framed, scale = _framed(image)
        boxes = self._detector(framed).boxes
        # Its buffers go before lines are read: the two together would be half as much again.
        self._detector.session.release()
        return [] if boxes is None else [np.asarray(box, dtype=np.float32) / scale for box in boxes]

    def _quarters(self, image: np.ndarray, quads: Sequence[np.ndarray]) -> int:
        """Judged by the longest lines. A turn is believed when they are read with certainty
        after it and clearly better than without: columns of upright characters stay."""
        total = sum(max(_size(quad)) for quad in quads)
        tall = [quad for quad in quads if _size(quad)[1] > _TALL * _size(quad)[0]]
        on_side = bool(tall) and sum(max(_size(quad)) for quad in tall) > _TALL_SHARE * total
        sample = sorted(tall if on_side else quads, key=lambda quad: -max(_size(quad)))[:_SAMPLE]
        if not sample:
            return 0
        crops = [get_rotate_crop_image(image, quad.copy()) for quad in sample]
        labels = [label for label, _ in self._classifier(crops).cls_res]
        turned = sum("180" in label for label in labels) * 2 > len(labels)
        if not turned and not on_side:
            return 0
        as_is = self._certainty(crops)
        upside_down = self._certainty([np.rot90(crop, 2) for crop in crops])
        if on_side:
            return (1 if as_is >= upside_down else 3) if max(as_is, upside_down) >= _SURE else 0
        return 2 if upside_down > as_is else 0

    def _certainty(self, crops: Sequence[np.ndarray]) -> float:
        found = self._recogniser(TextRecInput(img=[np.ascontiguousarray(crop) for crop in crops]))
        return float(np.mean(found.scores))

    def _read_lines(self, image: np.ndarray, quads: Sequence[np.ndarray]) -> list[OcrLine]:
        crops = [get_rotate_crop_image(image, quad.copy()) for quad in quads]
        kept = [(crop, quad) for crop, quad in zip(crops, quads, strict=True) if min(crop.shape[:2]) > 2]
        if not kept:
            return []
        found = self._recogniser(TextRecInput(img=[np.ascontiguousarray(crop) for crop, _ in kept]))
        lines = []
        for (_, quad), text, score in zip(kept, found.txts, found.scores, strict=True):
            if text.strip() and score >= _MIN_SCORE:
                (left, top), (right, bottom) = quad.min(axis=0), quad.max(axis=0)
                corners = (float(v) for v in (left, top, right, bottom))
                lines.append(OcrLine(text.strip(), *corners, float(score)))
        return lines


class _Session:
    """One compiled model. `fixed`: compiled for the shape that is asked for, and anew after
    `release`, which costs half a second a page and saves half of the memory."""

    def __init__(self, model: openvino.Model, threads: int, fixed: bool) -> None:
        self._core = openvino.Core()
        # No cache of kernels by shape: with lines of every length it grows without an end.
        self._options = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "CPU_RUNTIME_CACHE_CAPACITY": 0}
        self._model, self._fixed = model, fixed
        self._shape: tuple[int, ...] | None = None
        self._request: openvino.InferRequest | None = None if fixed else self._compile(model)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """The first output for one input."""
        if self._fixed and values.shape != self._shape:
            self._request = None
            model = self._model.clone()
            model.reshape(list(values.shape))
            self._request, self._shape = self._compile(model), values.shape
        self._request.infer([values])
        return self._request.get_output_tensor().data

    def release(self) -> None:
        """Gives its memory back; the next call compiles again."""
        self._request, self._shape = None, None

    def _compile(self, model: openvino.Model) -> openvino.InferRequest:
        return self._core.compile_model(model, "CPU", self._options).create_infer_request()


@cache
def ocr_engine() -> OcrEngine:
    """The engine of this process: loading takes about a second."""
    return OcrEngine(threads=max(1, min(4, (os.cpu_count() or 1) // 2)))


def _framed(image: np.ndarray) -> tuple[np.ndarray, float]:
    """The picture scaled for detection and filled up to a whole number of steps, and the scale."""
    from PIL import Image

    height, width = image.shape[:2]
    longest = max(height, width)
    scale = min(1.0, _FRAME_SIDE / longest) if longest > _SMALL_SIDE else min(2.0, _SMALL_SIDE / longest)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    scaled = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
    missing = [-side % _FRAME_STEP for side in scaled.shape[:2]]
    return np.pad(scaled, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge"), scale


def _size(quad: np.ndarray) -> tuple[float, float]:
    """Width and height of a quadrangle."""
    return float(np.linalg.norm(quad[0] - quad[1])), float(np.linalg.norm(quad[0] - quad[3]))


def _turn_back(line: OcrLine, quarters: int, size: tuple[int, int]) -> OcrLine:
    """The place of a line before the picture was turned; `size` is that of the turned one."""
    width, height = size
    left, top, right, bottom = line.left, line.top, line.right, line.bottom
    match quarters:
        case 1:
            box = (height - bottom, left, height - top, right)
        case 2:
            box = (width - right, height - bottom, width - left, height - top)
        case 3:
            box = (top, width - right, bottom, width - left)
        case _:
            box = (left, top, right, bottom)
    return OcrLine(line.text, *box, line.score)
