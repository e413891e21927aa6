package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"friendmigrate/cmd/trial/lab"
)

// What the system says of a disk that is full, or read only.
const (
	fullWord     = "no space"
	readOnlyWord = "read-only"
)

// filled runs a job on a disk that is too small, or that somebody else fills on the way, and again
// when there is room.
func filled(ctx context.Context, c *bench) (faults int, err error) {
	kB, fromTheStart := 2048, c.rand.IntN(3) == 0
	if fromTheStart {
		kB = 8 + c.rand.IntN(300)
	}
	if err := c.on(lab.NewMemory(c.dir, kB)); err != nil {
		return 0, err
	}
	filler := filepath.Join(c.volume.Folder, "filler")
	return c.through(ctx, 1, func(act, left int) (hit, done bool, err error) {
		done, err = c.withFault(act, left, fullWord, func() error {
			if fromTheStart {
				return nil
			}
			return fill(filler, c.rand.IntN(24)<<10)
		}, func() error { return errors.Join(os.RemoveAll(filler), c.volume.Remount("size=16m")) })
		fromTheStart = fromTheStart && done
		return !done, done, err
	})
}

// fill leaves so many bytes of a volume, about.
func fill(name string, left int) error {
	f, err := os.Create(name)
	if err != nil {
		return ignoreFull(err)
	}
	size := int64(0)
	for block := make([]byte, 4<<10); err == nil; {
		var n int
		n, err = f.Write(block)
		size += int64(n)
	}
	return errors.Join(ignoreFull(err), ignoreFull(f.Truncate(max(0, size-int64(left)))), f.Close())
}

func ignoreFull(err error) error {
	if err != nil && strings.Contains(err.Error(), "no space") {
		return nil
	}
	return err
}

// readOnly runs a job on a file system that goes read only under it, or that was before.
func readOnly(ctx context.Context, c *bench) (faults int, err error) {
	if err := c.on(lab.NewVolume(c.dir, lab.Ext4)); err != nil {
		return 0, err
	}
	return c.through(ctx, 1, func(act, left int) (hit, done bool, err error) {
		fault, fix := c.volume.Fail, c.volume.Again
		if c.rand.IntN(4) == 0 {
			if err := c.volume.Remount("ro"); err != nil {
				return false, false, err
			}
			fault, fix = func() error { return nil }, func() error { return c.volume.Remount("rw") }
		}
		done, err = c.withFault(act, left, readOnlyWord, fault, fix)
		return !done, done, err
	})
}

// withFault does one run in which the disk gets a fault at a random moment, and fixes the disk. The
// run finishes all the same, or says with 1 what is wrong.
func (c *bench) withFault(act, left int, word string, fault, fix func() error) (done bool, err error) {
	m := c.moment(act, left)
	p, hit, err := c.until(m, act)
	if err != nil {
		return false, err
	}
	before := c.service.Arrived()
	if hit {
		if err := fault(); err != nil {
			return false, err
		}
	}
	end := p.Wait(c.job.Timeout + 30*time.Second)
	if hit && word == readOnlyWord { // ext4 answers a sync that comes right behind its own error as if it had written
		c.audit.Late += c.service.Arrived() - before
	}
	if err := fix(); err != nil {
		return false, err
	}
	if done = c.ended(end, act, true); !done &&
		(end.Code != 1 || !strings.Contains(end.Last, "; hint: ") || !strings.Contains(end.Last, word)) {
		c.fail("O8", "exit code %d with a disk that has %s (%v): %s", end.Code, word, m, end.Last)
	}
	return done, nil
}
