package source

import (
	"errors"
	"strings"

	"friendmigrate/migrate"
	"friendmigrate/source/stage"
)

// lane takes valid edges. *stage.Lane is one; it belongs to one parser.
type lane interface {
	// Add copies what it keeps of e. ours is false for a row of another shard.
	Add(e *migrate.Edge) (ours bool, err error)
}

// parser is what the parsers of both formats share. It belongs to one goroutine.
type parser struct {
	lane  lane
	owns  func(from string) bool // is an account of this shard
	lists *lists
	limit int // of a record

	valid validator
	edge  migrate.Edge // reused
	many  int64        // lines that the record spans, where these are notable; else 0
	tally tally
}

// edgeRead holds p.edge, read from the record with this text, against the rules and puts it where
// it belongs.
func (p *parser) edgeRead(raw []byte, n numbers) error {
	if r := p.valid.edge(&p.edge, n); r.reason != "" {
		return p.rejectEdge(raw, r)
	}
	ours, err := p.lane.Add(&p.edge)
	if errors.Is(err, stage.ErrEdgeTooLarge) {
		return p.rejectEdge(raw, reject{"", reasonTooLarge})
	}
	p.tally.saw(p.edge.Input, 1)
	if err != nil || !ours {
		return err
	}
	p.tally.row(p.edge.Position, p.many)
	if p.valid.unusual {
		p.tally.note(p.edge.Position)
	}
	if len(p.valid.changes) == 0 {
		return nil
	}
	p.tally.Changed++
	return p.lists.addChanges(&p.edge, p.valid.changes)
}

func (p *parser) rejectEdge(raw []byte, r reject) error {
	from := ""
	if p.valid.usable {
		from = p.edge.From
	}
	return p.rejectAt(p.edge.Position, raw, from, r)
}

// rejectAt rejects a row. from is its From_Account if that is usable, else "": the shard that such
// a row belongs to lists it, and only that; the others know that there is one, for --strict.
func (p *parser) rejectAt(at migrate.Position, raw []byte, from string, r reject) error {
	ours := p.owns(from)
	p.tally.saw(at.Input, 1)
	counted := rejection{r, at.Input, !ours}
	if strings.HasPrefix(r.column, tagPrefix) { // there may be any number of tags, and they are parts of the block
		counted.column = tagPrefix + "*"
	}
	p.tally.by[counted]++
	if !ours {
		p.tally.RejectedElsewhere++
		return nil
	}
	p.tally.row(at, p.many)
	p.tally.Rejected++
	return p.lists.addRejected(at, r, raw[:min(len(raw), p.limit)])
}

// broken rejects a row that cannot be read. If it is several rows that end in CR alone, the input
// is refused.
func (p *parser) broken(l *layout, line int64, raw []byte, r reject) error {
	if l.endsInCR(raw, p.limit) {
		return l.crEnds()
	}
	if r.reason == reasonColumns && l.isHeader(raw) {
		r.reason = reasonOtherHeader
	}
	return p.rejectAt(migrate.Position{Input: l.index, Line: line}, raw, "", r)
}
