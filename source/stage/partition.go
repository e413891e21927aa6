package stage

import (
	"context"
	"fmt"
)

// partition is a set of records: pages in memory, and perhaps a file of further pages.
type partition struct {
	pages   [][]byte
	file    *rawFile
	records int64
	raw     int64
}

// cost estimates the bytes that the partition takes when it is loaded: the records, two index
// entries each, the accounts, the table of duplicates.
func (p *partition) cost() int64 { return p.raw + 80*p.records }

// addPages adds the pages of one goroutine to the partition.
func (p *partition) addPages(b *buffer) {
	p.pages = append(p.pages, b.full...)
	if len(b.page) > 0 {
		p.pages = append(p.pages, b.page)
	}
	p.records += b.records
	for _, page := range b.full {
		p.raw += int64(len(page))
	}
	p.raw += int64(len(b.page))
}

// addFile adds the records of the file to the partition. Nothing may be written to the file any
// more.
func (p *partition) addFile(f *rawFile) {
	if f.exists {
		p.file = f
		p.records += f.records
		p.raw += f.raw
	}
}

// eachPage calls f with every page. f may not keep it.
func (p *partition) eachPage(f func(page []byte) error) error {
	for _, page := range p.pages {
		if err := f(page); err != nil {
			return err
		}
	}
	if p.file == nil {
		return nil
	}
	return p.file.readPages(f)
}

// eachRecord calls f with every record until ctx ends. f may not keep its texts.
func (p *partition) eachRecord(ctx context.Context, f func(r *record[[]byte]) error) error {
	return p.eachPage(func(page []byte) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		var st pageState
		var r record[[]byte]
		for len(page) > 0 {
			if page = st.next(page, &r); page == nil {
				return p.malformed()
			}
			if err := f(&r); err != nil {
				return err
			}
		}
		return nil
	})
}

func (p *partition) malformed() error {
	if p.file == nil {
		return errRaw
	}
	return fmt.Errorf("read partition %q: %w", p.file.name, errRaw)
}

// drop frees the pages and removes the file.
func (p *partition) drop() error {
	p.pages = nil
	if p.file == nil {
		return nil
	}
	return p.file.remove()
}
