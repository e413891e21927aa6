package main

import (
	"context"
	"errors"
	"fmt"
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

// filled runs a job on a disk that is too small, or that somebody else fills on the way, and again when there is room.
func filled(_ context.Context, c *bench) (faults int, err error) {
	kB := 2048
	fromTheStart := c.rand.IntN(3) == 0
	if fromTheStart {
		kB = 8 + c.rand.IntN(300)
	}
	volume, err := lab.NewMemory(c.dir, kB)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, volume.Close()) }()
	c.state = filepath.Join(volume.Folder, "state")
	if err := c.begin(c.anyShape()); err != nil {
		return 0, err
	}
	filler := filepath.Join(volume.Folder, "filler")
	for act := range c.job.Acts {
		c.enter(act)
		done, err := c.withFault(act, fullWord, func() error {
			if fromTheStart {
				return nil
			}
			return fill(filler, c.rand.IntN(24)<<10)
		}, func() error { return errors.Join(os.RemoveAll(filler), volume.Remount("size=16m")) })
		if err != nil {
			return faults, err
		}
		if done {
			continue // before it met the fault
		}
		faults++
		if err := c.unbroken(act); err != nil {
			return faults, err
		}
		fromTheStart = false
	}
	return faults, nil
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
func readOnly(_ context.Context, c *bench) (faults int, err error) {
	volume, err := lab.NewVolume(c.dir, lab.Ext4)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, volume.Close()) }()
	c.state = filepath.Join(volume.Folder, "state")
	if err := c.begin(c.anyShape()); err != nil {
		return 0, err
	}
	for act := range c.job.Acts {
		c.enter(act)
		fault, fix := volume.Fail, volume.Again
		if c.rand.IntN(4) == 0 {
			if err := volume.Remount("ro"); err != nil {
				return faults, err
			}
			fault, fix = func() error { return nil }, func() error { return volume.Remount("rw") }
		}
		done, err := c.withFault(act, readOnlyWord, fault, fix)
		if err != nil {
			return faults, err
		}
		if done {
			continue // before it met the fault
		}
		faults++
		if err := c.unbroken(act); err != nil {
			return faults, err
		}
	}
	return faults, nil
}

// withFault does one run in which the disk gets a fault at a random moment, and fixes the disk. The run finishes all the same, or says with 1 what is wrong.
func (c *bench) withFault(act int, word string, fault, fix func() error) (done bool, err error) {
	m := draw(c.rand, &c.like.Acts[act], c.like.Acts[act].Calls, act > 0)
	p, err := c.start(act)
	if err != nil {
		return false, err
	}
	hit := m.await(p, c.service)
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
	c.audit.Dead(end, true)
	switch {
	case finished(end):
		c.audit.Finished(end, act)
		return true, nil
	case end.Code != 1 || !strings.Contains(end.Last, "; hint: ") || !strings.Contains(end.Last, word):
		c.audit.Fail("O8", fmt.Sprintf("exit code %d with a disk that has %s (%v): %s", end.Code, word, m, end.Last))
	}
	return false, nil
}
