package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"friendmigrate/cmd/trial/lab"
)

// contained runs a job in containers, and kills it, signals it or starts a second container on its
// volume.
func contained(ctx context.Context, c *bench) (faults int, err error) {
	image, err := c.suite.image()
	if err != nil {
		return 0, err
	}
	container, err := image.NewContainer(c.dir)
	if err != nil {
		return 0, err
	}
	c.program, c.state = container, filepath.Join(container.Volume, "state")
	switch c.index % 3 {
	case 0:
		return killed(ctx, c)
	case 1:
		return signalled(ctx, c)
	}
	return secondContainer(c, container)
}

// secondContainer starts a second container on the volume of one that is at work: it has to leave.
// Then the volume is read by a command that looks only, and what is there is fetched from the
// service into standard output, which takes a temporary file.
func secondContainer(c *bench, container *lab.Container) (int, error) {
	if err := c.begin("paced"); err != nil {
		return 0, err
	}
	const act = 0
	a, err := c.start(act)
	if err != nil {
		return 0, err
	}
	moment{kind: "sending", call: 1}.await(a, c.service)
	b, err := c.program.Start(c.job, act, c.service, c.state)
	if err != nil {
		return 0, errors.Join(err, fmt.Errorf("the first: %+v", a.Wait(patience)))
	}
	if second := b.Wait(patience); second.Code != 11 || !strings.Contains(second.Last, "; hint: ") {
		c.fail("O8", "the second container ended with %d: %s", second.Code, second.Last)
	}
	first := a.Wait(patience)
	c.audit.Dead(first, false)
	c.audit.Finished(first, act)
	return 1, c.exported(container)
}

// exported fetches an account of the job with nowhere to write to but the volume.
func (c *bench) exported(container *lab.Container) error {
	var one lab.Pair
	for one = range c.job.Pairs {
		break
	}
	list := filepath.Join(container.Volume, "accounts.txt")
	if err := container.Write(list, one.From+"\n"); err != nil {
		return err
	}
	p, err := container.Run([]string{"--volume", c.job.Dir + ":/job:ro"},
		"export", "--sdk-app-id", fmt.Sprint(lab.App), "--secret-key-file", "/job/key", "--endpoint", c.service.URL,
		"--accounts", "accounts.txt")
	if err != nil {
		return err
	}
	if end := p.Wait(patience); end.Code != 0 || !strings.Contains(end.Out, one.To) {
		c.fail("O8", "an export ended with %d: %s", end.Code, end.Out)
	}
	return nil
}
