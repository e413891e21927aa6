package migrate

import "fmt"

// brake stops a run whose failures look systematic. It counts what this run did and nothing else.
type brake struct {
	maxFailures int64   // negative: off
	maxRatio    float64 // negative: off

	settled, failed int64
	barren          int    // weight of the chunks of different accounts, one after the other, that were refused edge by edge with nothing landing anywhere
	lastInfo        string // the service's text for the last of their edges
	lastCode        int
}

const (
	ratioFrom   = 1000 // settled edges before the ratio says anything
	barrenLimit = 3    // chunks that were halved to the end
	loneLimit   = 21   // chunks of one edge: three of those in a row are still chance
)

// count takes in settled edges.
func (b *brake) count(landed, failed int64) {
	b.settled += landed + failed
	b.failed += failed
	if landed > 0 {
		b.barren = 0
	}
}

// exhausted takes in a chunk that was refused edge by edge, none landing.
func (b *brake) exhausted(edges, code int, info string) {
	if edges > 1 {
		b.barren += loneLimit / barrenLimit
	} else {
		b.barren++
	}
	b.lastCode, b.lastInfo = code, info
}

// room is how many more chunks, all refused edge by edge, it takes to stop the run.
func (b *brake) room() int {
	const weight = loneLimit / barrenLimit
	return (loneLimit - b.barren + weight - 1) / weight
}

// verdict is nil as long as the run may go on.
func (b *brake) verdict() *StopError {
	switch {
	case b.barren >= loneLimit:
		return &StopError{Reason: ReasonSystematic, Code: b.lastCode,
			Info: fmt.Sprintf("chunk after chunk is refused edge by edge, the last with code %d: %s", b.lastCode, b.lastInfo),
			Hint: "look at failed for what the refused edges have in common: a Tag_SNS_Custom_ field that was never created in the console refuses every edge that carries it"}
	case b.maxFailures >= 0 && b.failed > b.maxFailures:
		return &StopError{Reason: ReasonThreshold, Info: fmt.Sprintf("%d edges failed in this run, more than --max-failures %d", b.failed, b.maxFailures)}
	case b.maxRatio >= 0 && b.settled >= ratioFrom && float64(b.failed) > b.maxRatio*float64(b.settled):
		return &StopError{Reason: ReasonThreshold, Info: fmt.Sprintf("%d of %d edges settled in this run failed, more than --max-failure-ratio %g", b.failed, b.settled, b.maxRatio)}
	}
	return nil
}
