package job

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/sink"
	"friendmigrate/sink/simulator"
)

// Limit and latency of a rehearsal in real time: the service's documented limit, and the latency of
// a distant service. Other rehearsals have neither.
const (
	rehearsalLimit   = 200
	rehearsalLatency = 40 * time.Millisecond
	rehearsalJitter  = 40 * time.Millisecond
)

// rehearsal is a simulated service inside this process, reached over loopback, with a random key.
type rehearsal struct {
	service *simulator.Server
	stop    func(context.Context) error
	found   report.Rehearsal

	realTime bool
}

// startRehearsal starts the service and points c at it.
func startRehearsal(c *sink.Config, realTime bool) (*rehearsal, error) {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	key := hex.EncodeToString(random)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the simulated service: %w", err)
	}
	r := &rehearsal{realTime: realTime}
	config := simulator.Config{
		App: simulator.App{SDKAppID: c.SDKAppID, Key: key, Identifier: c.Identifier}, Compact: true,
	}
	if realTime {
		config.Limit, config.Latency, config.Jitter = rehearsalLimit, rehearsalLatency, rehearsalJitter
	} else {
		c.Rate = sink.Unpaced
	}
	r.service = simulator.New(config)
	r.stop = r.service.Serve(listener)
	c.Endpoint, c.Key, c.CAFile = "http://"+listener.Addr().String(), sink.StaticKey(sink.NewSecret(key)), ""
	return r, nil
}

// compare compares the job's sums with what the service counted itself. If they differ, it returns
// an error and the job is not finished.
func (r *rehearsal) compare(j *Run, a report.Sums) error {
	s := r.service.Stats()
	r.found = report.Rehearsal{
		Edges: s.GraphEdges, Calls: s.Calls, Refused: s.RefusedRate, BusiestSecond: int64(s.LargestSecond),
		Overlaps: s.Overlaps, Disagreements: []string{},
	}
	disagree := func(format string, args ...any) {
		r.found.Disagreements = append(r.found.Disagreements, fmt.Sprintf(format, args...))
	}
	// A call without an answer may have placed edges that are pending here until they are sent
	// again.
	if placed := a.InPlace(); s.GraphEdges < placed || s.GraphEdges > placed && a.Pending() == 0 {
		disagree("the service has %d edges, the report says %d", s.GraphEdges, placed)
	}
	if sent := j.result.stats.Attempts; s.Calls != sent {
		disagree("%d calls reached the service, %d were sent", s.Calls, sent)
	}
	if s.Overlaps > 0 {
		disagree("%d calls overlapped another one of their account", s.Overlaps)
	}
	if len(r.found.Disagreements) == 0 {
		return nil
	}
	return errors.New("the simulated service disagrees with the report: " + strings.Join(r.found.Disagreements, "; "))
}

// words says in one clause that both agree and, in real time, how close to the limit the run came.
// More arrivals in a second than the rate are no disagreement: on a busy machine some calls are
// delayed and arrive together with later ones.
func (r *rehearsal) words() string {
	text := fmt.Sprintf("the simulated service counts %s and %s itself, none overlapping",
		terminal.Some(r.found.Edges, "edge"), terminal.Some(r.found.Calls, "call"))
	if r.realTime {
		text += fmt.Sprintf(", at most %d in any second", r.found.BusiestSecond)
	}
	return text
}
