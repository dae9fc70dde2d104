"""torchvision's ImageNet training loop (references/classification/train.py) with this loader.

  python imagenet_training.py --data-path /data/imagenet --model resnet50

What has changed is marked: no data sets, no samplers, no transforms and no worker processes. Under torchrun each
process takes its share of every batch.
"""

import argparse
import os
import time

import torch
from nqdarts.data import Loader  # changed: for torchvision.datasets, .transforms and torch.utils.data
from torch import nn


def make_model(name, classes):
    if name == "tiny":
        return nn.Sequential(nn.Conv2d(3, 16, 7, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(),
                             nn.Linear(16 * 16, classes))
    import torchvision

    return torchvision.models.get_model(name, num_classes=classes)


def train_one_epoch(model, criterion, optimizer, data_loader, device, epoch):
    model.train()
    start, seen = time.time(), 0
    for image, target in data_loader:
        image, target = image.to(device, non_blocking=True), target.to(device, non_blocking=True)
        loss = criterion(model(image), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen += len(target)
    print(f"Epoch {epoch}: loss {loss.item():.3f}, {seen / (time.time() - start):.0f} img/s")


def evaluate(model, data_loader, device):
    model.eval()
    correct = count = 0
    with torch.inference_mode():
        for image, target in data_loader:
            image, target = image.to(device, non_blocking=True), target.to(device, non_blocking=True)
            correct += (model(image).argmax(1) == target).sum().item()
            count += len(target)
    print(f"Test: Acc@1 {100 * correct / count:.3f}")
    return correct / count


def main(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-path", required=True)
    parser.add_argument("--model", default="resnet50")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=90)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--workers", type=int, default=None)
    args = parser.parse_args(arguments)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    # changed: two loaders in place of two data sets, two samplers and two DataLoaders
    ranks = dict(rank=int(os.environ.get("RANK", 0)), world_size=int(os.environ.get("WORLD_SIZE", 1)))
    data_loader = Loader(os.path.join(args.data_path, "train"), args.batch_size, "imagenet_train",
                         threads=args.workers, **ranks)
    data_loader_test = Loader(os.path.join(args.data_path, "val"), args.batch_size, "imagenet_eval",
                              order="sequential", threads=args.workers, **ranks)

    model = make_model(args.model, len(data_loader.classes)).to(device)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, weight_decay=1e-4)
    accuracy = 0.0
    for epoch in range(args.epochs):
        data_loader.set_epoch(epoch)  # changed: of the loader, not of a sampler
        train_one_epoch(model, criterion, optimizer, data_loader, device, epoch)
        accuracy = evaluate(model, data_loader_test, device)
    return accuracy


if __name__ == "__main__":
    main()
