"""The measurements as one picture."""

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter

from benchmarks.cases import CASES

ROW_INCHES = 0.19


def save_picture(results, threads, path):
    """For each case: the best peer's time over ours, and our share of what is possible."""
    names = [name for name in CASES if any(results.ratio(name, count) for count in threads)][::-1]
    figure, (ratios, shares) = plt.subplots(
        1, 2, figsize=(11, 1.5 + ROW_INCHES * len(names)), sharey=True, width_ratios=(3, 2)
    )
    for count in threads:
        label = "1 thread" if count == 1 else f"{count} threads"
        for axes, number_of in ((ratios, results.ratio), (shares, results.share)):
            numbers = {row: number_of(name, count) for row, name in enumerate(names)}
            known = {row: number for row, number in numbers.items() if number}
            axes.plot(known.values(), known.keys(), "o", markersize=4, label=label)
    ratios.axvline(1, color="grey", linewidth=1)
    ratios.set_xscale("log", base=2)
    ratios.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    ratios.set_xlabel("best peer's time / tinydl's (to the right of 1: tinydl is faster)")
    ratios.set_yticks(range(len(names)), names, fontsize=7)
    ratios.set_ylim(-1, len(names))
    shares.set_xlim(0, None)
    shares.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0%}"))
    shares.set_xlabel("of the machine's peak")
    for axes in (ratios, shares):
        axes.grid(axis="both", linewidth=0.3)
    ratios.legend(loc="upper right")
    figure.tight_layout()
    figure.savefig(path, dpi=120, bbox_inches="tight")
    plt.close(figure)
