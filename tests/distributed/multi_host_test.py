#!/usr/bin/env python3
"""Three hosts on one machine, in network namespaces: a run spreads over them, one is cut off, the error
names it, and the run goes on over the two that remain. First a program that ends in a known state, then
the search itself on the handwritten digits.

Needs root and iproute2; elsewhere it says so and passes.
"""

import glob
import os
import shutil
import subprocess
import sys
import time

import ranks
from ranks import Job, check

NAME = f"nq{os.getpid()}"
SWITCH = f"{NAME}-switch"
HOSTS = [f"{NAME}-host{i}" for i in range(3)]


def address(host):
    return f"10.77.0.{HOSTS.index(host) + 1}"


def run(command):
    return subprocess.run(command.split(), check=True, capture_output=True, text=True)


def make_hosts():
    """A namespace per host, its only device wired to a bridge in one more namespace."""
    run(f"ip netns add {SWITCH}")
    run(f"ip -n {SWITCH} link add bridge type bridge")
    run(f"ip -n {SWITCH} link set bridge up")
    for i, host in enumerate(HOSTS):
        run(f"ip netns add {host}")
        run(f"ip -n {host} link set lo up")
        run(f"ip -n {host} link add eth0 type veth peer name port{i} netns {SWITCH}")
        run(f"ip -n {host} addr add {address(host)}/24 dev eth0")
        run(f"ip -n {host} link set eth0 up")
        run(f"ip -n {SWITCH} link set port{i} master bridge up")


def kill_processes():
    for name in HOSTS:
        pids = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True).stdout
        for pid in pids.split():
            ranks.kill(int(pid))


def remove_hosts():
    kill_processes()
    for name in [*HOSTS, SWITCH]:
        subprocess.run(["ip", "netns", "del", name], capture_output=True)
    for folder in glob.glob(f"/tmp/mpi.*/ompi.{NAME}-host*"):  # Of the killed daemons, unless it goes by itself.
        shutil.rmtree(os.path.dirname(folder), ignore_errors=True)


def write_agent():
    """What mpirun calls in place of ssh: AGENT ADDRESS COMMAND..."""
    path = ranks.folder("agent.sh")
    with open(path, "w") as agent:
        agent.write("#!/bin/sh\nhost=$1; shift\n")
        for host in HOSTS:
            agent.write(f"[ $host = {address(host)} ] && name={host}\n")
        agent.write('exec ip netns exec "$name" unshare --uts '
                    'sh -c "hostname $name; $*"\n')
    os.chmod(path, 0o755)
    return path


def launch(hosts, *program, keepalive=300):
    """A rank of `program` on each host. `keepalive`: seconds until mpirun asks a silent host whether it is
    there."""
    openmpi = os.path.realpath("../openmpi/usr/bin/orted")
    options = {
        "plm_rsh_agent": write_agent(), "orte_launch_agent": openmpi,
        "btl": "self,tcp", "btl_tcp_if_include": "eth0", "oob_tcp_if_include": "eth0",
        "oob_tcp_keepalive_time": keepalive, "oob_tcp_keepalive_intvl": 1,
        "oob_tcp_keepalive_probes": 3,
    }
    mca = [word for name, value in options.items() for word in ("--mca", name, str(value))]
    launcher = ["ip", "netns", "exec", HOSTS[0], "unshare", "--uts", "sh", "-c",
                f'hostname {HOSTS[0]}; exec "$@"', "sh", ranks.LAUNCHER, str(len(hosts))]
    return Job(len(hosts), command=[*launcher, *mca, "--host", ",".join(map(address, hosts)), *program])


def job(hosts, run_folder, *flags, keepalive=300):
    return launch(hosts, ranks.PROGRAM, f"--run={ranks.folder(run_folder)}", "--epochs=20",
                  "--step_seconds=0.02", *flags, keepalive=keepalive)


def search(hosts, *flags):
    return launch(hosts, "tools/search", "--preset=quickstart", "--layers=3", "--derive_layers=3",
                  "--image_size=16", "--batch=12", "--train_fraction=0.1", "--search_fraction=0.1",
                  "--epochs=2", f"--train_data={ranks.folder('digits')}", f"--run={ranks.folder('search')}",
                  "--checkpoint_steps=2", "--check_ranks", "--collective_timeout=5", *flags)


def norm(finished):
    check(finished.wait(120) == 0, "the run failed", finished)
    return float(finished.find(r"state \w+ norm (\S+)")[1])


def reconnect():
    """Returns once the last host reaches the first one again."""
    run(f"ip -n {SWITCH} link set port2 up")
    deadline = time.monotonic() + 30
    knock = ["ip", "netns", "exec", HOSTS[2], "timeout", "1", "bash", "-c",
             f"exec 3<>/dev/tcp/{address(HOSTS[0])}/9"]
    while "refused" not in subprocess.run(knock, capture_output=True, text=True).stderr:
        check(time.monotonic() < deadline, "the host stays cut off")
        time.sleep(0.1)


def cut_off(running, started, expected_message):
    """Cuts the last host off once `running` has said `started`; it must then say `expected_message`."""
    check(running.wait_for(started), "the run does not start", running)
    run(f"ip -n {SWITCH} link set port2 down")
    message = running.wait_for(expected_message, 30)
    check(message, "the lost host is not named", running)
    print(message[0])


def clear_up(cut):
    """Ends what is left of `cut`, whose mpirun waits for the lost host, and brings that host back."""
    cut.process.kill()
    kill_processes()
    reconnect()


def test_search():
    run(f"tools/pack --input=tools/sample_data/digits/train.tar --output={ranks.folder('digits')}")
    reconnect()
    cut = search(HOSTS)
    cut_off(cut, r"epoch 1/2 step 6/", rf".*nothing from rank 2 \({HOSTS[2]}\).*")
    clear_up(cut)

    resumed = search(HOSTS[:2], "--resume=auto")
    check(resumed.wait(300) == 0, "the search failed", resumed)
    message = resumed.find(r"resumed .*")
    check(message, "it started anew", resumed)
    check(os.path.exists(ranks.folder("search/architecture.json")), "nothing was found", resumed)
    print(f"search {message[0]}, on two hosts, to its end")


def test():
    expected = norm(job(HOSTS, "whole"))

    # The ranks are the first to notice. They end; mpirun, which tries to tell the lost host's daemon
    # so, waits until TCP gives up.
    cut = job(HOSTS, "cut", "--timeout_seconds=5")
    pids = cut.pids()
    cut_off(cut, "epoch 3/", rf"epoch .*: rank [01] \({NAME}-host[01]\): .*nothing from rank 2 \({HOSTS[2]}\).*")
    ranks.check_all_gone([pids[0], pids[1]])
    clear_up(cut)

    # mpirun is the first to notice, and ends the ranks.
    cut = job(HOSTS, "cut", "--timeout_seconds=60", keepalive=3)
    pids = cut.pids()
    cut_off(cut, "epoch 9/", rf"lost communication with a remote daemon(.|\n)*{address(HOSTS[2])}")
    ranks.check_all_gone([pids[0], pids[1]])
    check(cut.wait(30) != 0, "mpirun ended well", cut)
    kill_processes()  # Those of the host that was cut off.

    resumed = job(HOSTS[:2], "cut", "--resume=auto")
    found = norm(resumed)
    check(resumed.find(r"resumed after \d+ steps"), "it started anew", resumed)
    check(abs(found - expected) <= 1e-9 * abs(expected), f"norm {found}, expected {expected}", resumed)
    print(f"resumed on two hosts: norm {found}; on three without a cut: {expected}")


if __name__ == "__main__":
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("unshare"):
        print("SKIPPED multi_host_test: needs root and iproute2")
        sys.exit(0)
    try:
        make_hosts()
    except subprocess.CalledProcessError as error:
        remove_hosts()
        print(f"SKIPPED multi_host_test: no network namespaces here: {error.stderr}")
        sys.exit(0)
    try:
        test()
        test_search()
    finally:
        remove_hosts()
