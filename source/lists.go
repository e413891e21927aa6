package source

import (
	"encoding/csv"
	"errors"
	"io"
	"path/filepath"
	"strconv"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
	"friendmigrate/migrate/disk"
	"friendmigrate/source/spool"
)

// The lists that reading writes into the state folder.
const (
	RejectedList   = "rejected.csv"
	ChangedList    = "changed.csv"
	DuplicatesList = "duplicates.csv"
)

// listMemory is what each of them may hold in memory.
const listMemory = 2 << 20

// lists collects them while rows are read, in no order.
type lists struct {
	fs         disk.FS
	dir        string
	names      []string // of the inputs
	rejected   *spool.Spool
	changed    *spool.Spool
	duplicates *List
}

func newLists(fsys disk.FS, dir string, names []string) *lists {
	sorted := func(name string) *spool.Spool { return spool.New(fsys, filepath.Join(dir, name+".spool"), listMemory) }
	return &lists{
		fs: fsys, dir: dir, names: names, rejected: sorted(RejectedList), changed: sorted(ChangedList),
		duplicates: NewList(ListOptions{FS: fsys, Path: filepath.Join(dir, DuplicatesList), Memory: listMemory, Format: CSV, Lossy: true,
			Extra: []string{"Input", "Line", "KeptInput", "KeptLine"}}),
	}
}

func (l *lists) addRejected(at migrate.Position, r reject, raw []byte) error {
	row := codec.AppendText(codec.AppendText(nil, r.column), r.reason)
	return l.rejected.Add(at, append(row, raw...))
}

func (l *lists) addChanges(e *migrate.Edge, changes []change) error {
	for i, c := range changes {
		row := []byte{byte(i >> 8), byte(i)} // the changes of one row stay in their order
		for _, cell := range []string{e.From, e.To, c.column, c.reason, c.was, c.now} {
			row = codec.AppendText(row, cell)
		}
		if err := l.changed.Add(e.Position, row); err != nil {
			return err
		}
	}
	return nil
}

// duplicate is a stage.DuplicateFunc: a row that lost is listed if that changes anything.
func (l *lists) duplicate(lost, kept *migrate.Edge, differ bool) error {
	if !differ {
		return nil
	}
	return l.duplicates.Add(lost, l.names[lost.Input], lost.Line, l.names[kept.Input], kept.Line)
}

// save writes all three, with a header at least. Each appears whole; a crash in between leaves older ones, and the job is staged again then.
func (l *lists) save() error {
	err := l.saveTable(RejectedList, l.rejected, []string{"Input", "Line", "Column", "Reason", "Row"}, func(c *codec.Cursor) []string {
		return []string{string(c.Text()), string(c.Text()), string(c.Rest)}
	})
	if err != nil {
		return err
	}
	header := []string{"Input", "Line", nameFrom, nameTo, "Column", "Reason", "Was", "Now"}
	err = l.saveTable(ChangedList, l.changed, header, func(c *codec.Cursor) []string {
		c.Byte()
		c.Byte()
		return []string{string(c.Text()), string(c.Text()), string(c.Text()), string(c.Text()), string(c.Text()), string(c.Text())}
	})
	if err != nil {
		return err
	}
	return l.duplicates.Save()
}

func (l *lists) saveTable(name string, rows *spool.Spool, header []string, rest func(*codec.Cursor) []string) error {
	return disk.WriteWhole(l.fs, filepath.Join(l.dir, name), func(w io.Writer) error {
		out := csv.NewWriter(w)
		if err := out.Write(header); err != nil {
			return err
		}
		for row, err := range rows.Rows() {
			if err != nil {
				return err
			}
			c := codec.Cursor{Rest: row.Data}
			record := append([]string{l.names[row.Input], strconv.FormatInt(row.Line, 10)}, rest(&c)...)
			if c.Bad {
				return errSpooled
			}
			if err := out.Write(record); err != nil {
				return err
			}
		}
		out.Flush()
		return out.Error()
	})
}

func (l *lists) close() error {
	return errors.Join(l.rejected.Close(), l.changed.Close(), l.duplicates.Close())
}
