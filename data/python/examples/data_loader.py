"""A loader with the face of torch.utils.data.DataLoader, for code that asks for one: Lightning, Accelerate, one's own.

  python data_loader.py /data/imagenet/train
"""

import sys
import types

from nqdarts.data import Loader


class DataLoader:
    """What such code looks at: batch_size, len(), sampler.set_epoch(), dataset, and batches as lists.

    ``options`` are those of ``nqdarts.data.Loader``.
    """

    num_workers = 0  # processes; this one has threads
    pin_memory = False
    collate_fn = None
    batch_sampler = None

    def __init__(self, path, batch_size, transform, shuffle=False, drop_last=False, num_workers=0, **options):
        self.loader = Loader(path, batch_size, transform, order="shuffled" if shuffle else "sequential",
                             drop_last=drop_last, threads=num_workers or None, **options)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = types.SimpleNamespace(set_epoch=self.loader.set_epoch)
        self.dataset = range(self.loader.num_samples)  # which has a length

    def __len__(self):
        return len(self.loader)

    def __iter__(self):
        return map(list, self.loader)

    def state_dict(self):
        return self.loader.state_dict()

    def load_state_dict(self, state):
        self.loader.load_state_dict(state)


def main(arguments):
    loader = DataLoader(arguments[0], 64, "imagenet_train", shuffle=True)
    images, labels = next(iter(loader))
    print(f"{len(loader)} batches of {len(loader.dataset)} images: {tuple(images.shape)}, {tuple(labels.shape)}")
    return loader


if __name__ == "__main__":
    main(sys.argv[1:])
