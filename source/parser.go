package source

import (
	"context"
	"errors"
	"strings"

	"friendmigrate/migrate"
	"friendmigrate/source/stage"
)

// lane takes valid edges. It belongs to one parser. *stage.Lane implements it.
type lane interface {
	// Add copies what it keeps of e. ours is false for a row of another shard.
	Add(e *migrate.Edge) (ours bool, err error)
}

// parser is the part that the parsers of both formats share. It belongs to one goroutine.
type parser struct {
	lane  lane
	owns  func(from string) bool // reports whether an account is of this shard
	lists *lists
	limit int // of a record

	valid        validator
	edge         migrate.Edge // reused
	suspectLines int64        // lines of the record if it may have swallowed rows; else 0
	null         bool         // a cell of the record is a word for no value
	tally        tally
}

// parse has p take the edges from the blocks of full, and gives the blocks back to free.
func (r *reading) parse(ctx context.Context, p *parser, free chan<- *block, full <-chan *block) error {
	csvs, jsonls := &csvParser{parser: p}, &jsonlParser{parser: p, rules: r.rules}
	for b := range full {
		if err := ctx.Err(); err != nil {
			return err
		}
		p.suspectLines, p.null = 0, false
		before := p.tally.Rows
		take := csvs.takeBlock
		if b.layout.format == JSONL {
			take = jsonls.takeBlock
		}
		if err := take(b); err != nil {
			return err
		}
		r.opener.progress.rows.Add(p.tally.Rows - before)
		free <- b
	}
	return nil
}

// takeEdge checks p.edge and stages or rejects it. raw is the record that it was read from.
func (p *parser) takeEdge(raw []byte, n numbers) error {
	if r := p.valid.check(&p.edge, n); r.reason != "" {
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
	p.tally.row(p.edge.Position, p.suspectLines)
	if p.valid.unusual {
		note(&p.tally.Unusual, &p.tally.unusualAt, 1, p.edge.Position)
	}
	if p.null {
		note(&p.tally.Nulls, &p.tally.nullsAt, 1, p.edge.Position)
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

// rejectAt rejects a row. from is its From_Account if that is usable, else "". Only the shard that
// the row belongs to lists it; the others count it for --strict.
func (p *parser) rejectAt(at migrate.Position, raw []byte, from string, r reject) error {
	ours := p.owns(from)
	p.tally.saw(at.Input, 1)
	counted := rejection{r, at.Input, !ours}
	if strings.HasPrefix(r.column, tagPrefix) { // counted as one: there may be many, and they point into the block
		counted.column = tagPrefix + "*"
	}
	p.tally.by[counted]++
	if !ours {
		return nil
	}
	p.tally.row(at, p.suspectLines)
	return p.lists.addRejected(at, r, raw[:min(len(raw), p.limit)])
}

// broken rejects a row that cannot be read. It refuses the input if the row is several rows that
// end in CR alone.
func (p *parser) broken(l *layout, line int64, raw []byte, r reject) error {
	if l.endsInCR(raw, p.limit) {
		return l.crEnds()
	}
	if r.reason == reasonColumns && l.isHeader(raw) {
		r.reason = reasonOtherHeader
	}
	return p.rejectAt(migrate.Position{Input: l.index, Line: line}, raw, "", r)
}
