"""FFCV's loader call (ffcv-imagenet/train_imagenet.py) and what it is here. The .beton file stays as it is.

  python ffcv_translated.py /data/train.beton
"""

import sys

from nqdarts.data import Loader, named

# from ffcv.loader import Loader, OrderOption
# from ffcv.fields.decoders import RandomResizedCropRGBImageDecoder
# from ffcv.transforms import NormalizeImage, RandomHorizontalFlip, ToDevice, ToTensor, ToTorchImage
#
# loader = Loader(train_dataset, batch_size=256, num_workers=12, order=OrderOption.QUASI_RANDOM, drop_last=True, seed=1,
#                 pipelines={"image": [RandomResizedCropRGBImageDecoder((160, 160)), RandomHorizontalFlip(), ToTensor(),
#                                      ToDevice(device, non_blocking=True), ToTorchImage(),
#                                      NormalizeImage(IMAGENET_MEAN, IMAGENET_STD, np.float16)],
#                            "label": [IntDecoder(), ToTensor(), Squeeze(), ToDevice(device, non_blocking=True)]})


def make_loader(train_dataset, batch_size=256, num_workers=None):
    return Loader(train_dataset, batch_size, named["imagenet_train"].replace(size=160), threads=num_workers,
                  order="quasi_random", drop_last=True, seed=1, layout="channels_last")


def main(arguments):
    loader = make_loader(arguments[0], batch_size=int(arguments[1]) if len(arguments) > 1 else 256)
    for images, labels in loader:
        images = images.half()  # after .to(device), as float16 is made there in no time
        print(tuple(images.shape), images.dtype, labels[:5].tolist())
        return images


if __name__ == "__main__":
    main(sys.argv[1:])
