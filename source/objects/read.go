package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"friendmigrate/migrate"
)

// Reader reads one object from its beginning to its end. Close it.
type Reader struct {
	store    *Store
	ctx      context.Context
	object   Object
	at       int64         // bytes returned so far
	body     io.ReadCloser // nil: must be requested
	cancel   context.CancelFunc
	patience patience
}

// Open begins to read the current version of an object. Reading ends with ctx.
func (s *Store) Open(ctx context.Context, bucket, key string) (*Reader, error) {
	r := &Reader{store: s, ctx: ctx, object: Object{Bucket: bucket, Key: key, Size: -1}}
	for {
		err := r.ask()
		if err == nil {
			return r, nil
		}
		if err := s.after(ctx, &r.patience, r.object.Name(), err); err != nil {
			return nil, err
		}
	}
}

// Object returns the description of the object that is being read.
func (r *Reader) Object() Object { return r.object }

// Read reads on, with as many requests as it takes.
func (r *Reader) Read(p []byte) (int, error) {
	for {
		if err := r.ctx.Err(); err != nil {
			return 0, err
		}
		if r.at == r.object.Size {
			return 0, io.EOF
		}
		n, err := r.some(p)
		if n > 0 {
			r.patience = patience{}
			return n, nil
		}
		if err == nil {
			continue
		}
		r.Close()
		if err := r.store.after(r.ctx, &r.patience, r.object.Name(), err); err != nil {
			return 0, err
		}
	}
}

// some reads from the current answer, or makes a request if there is none. Bytes that come with an
// error are returned first; the error comes again.
func (r *Reader) some(p []byte) (int, error) {
	if r.body == nil {
		if err := r.ask(); err != nil {
			return 0, err
		}
	}
	stalled := time.AfterFunc(r.store.stall, r.cancel)
	n, err := r.body.Read(p[:min(int64(len(p)), r.object.Size-r.at)])
	if !stalled.Stop() && r.ctx.Err() == nil && n == 0 {
		err = errStalled
	}
	r.at += int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF // the object's size tells the end
	}
	return n, err
}

// ask requests the rest of the object, or all of it.
func (r *Reader) ask() error {
	var o minio.GetObjectOptions
	if r.object.ETag != "" && !strings.HasPrefix(r.object.ETag, "W/") {
		if err := o.SetMatchETag(r.object.ETag); err != nil {
			return err
		}
	}
	if r.at > 0 {
		if err := o.SetRange(r.at, 0); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(r.ctx)
	body, info, header, err := r.store.core.GetObject(ctx, r.object.Bucket, r.object.Key, o)
	if err != nil {
		cancel()
		return err
	}
	r.body, r.cancel = body, cancel
	if err := r.check(objectOf(r.object.Bucket, r.object.Key, info), header); err != nil {
		r.Close()
		return err
	}
	r.store.answered.Store(true)
	return nil
}

// check checks an answer against the request.
func (r *Reader) check(now Object, header http.Header) error {
	begun := r.object.Size >= 0
	switch {
	case !begun && now.Size < 0:
		return refused("the store does not say how large it is")
	case !begun:
		r.object = now
		return nil
	case r.at > 0:
		from := int64(-1)
		now.Size = r.object.Size // unless the answer knows better than "bytes 5-9/*"
		if text := header.Get("Content-Range"); text != "" {
			_, err := fmt.Sscanf(text, "bytes %d-%d/%d", &from, new(int64), &now.Size)
			if err != nil && !strings.HasSuffix(text, "/*") {
				return fmt.Errorf("the store answers a Content-Range that is none: %w", err)
			}
		}
		if from != r.at {
			return refused("reading on after a lost connection is not possible: the store does not know Range")
		}
	}
	if !now.sameAs(r.object) {
		return errChanged
	}
	return nil
}

// Unchanged returns an error if the object in the store is not the one that was read.
func (r *Reader) Unchanged() error {
	now, err := r.store.Stat(r.ctx, r.object.Bucket, r.object.Key)
	if errors.Is(err, errChanged) || err == nil && !now.sameAs(r.object) {
		return errChanged
	}
	return err
}

// Close closes the current answer.
func (r *Reader) Close() {
	if r.body != nil {
		r.cancel() // before Close, so that it does not wait for the rest
		r.body.Close()
		r.body = nil
	}
}

// firstGo is the number of attempts for a store that has never answered. Most likely its address is
// wrong.
const firstGo = 5

// patience counts the failed attempts of a request. It belongs to one goroutine. The zero value has
// none.
type patience struct {
	failed int       // attempts in a row
	since  time.Time // of the first of them
}

// after is called after a failed attempt. It returns nil when it is time for the next attempt, or
// the final error.
func (s *Store) after(ctx context.Context, p *patience, name string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := s.judge(err)
	if e.Kind != Unreachable {
		return e
	}
	if p.failed++; p.failed == 1 {
		p.since = time.Now()
	}
	took, answered := time.Since(p.since), s.answered.Load()
	if answered && took >= s.patience || !answered && p.failed == firstGo {
		return &Error{Unreachable, fmt.Sprintf("%s, and so it did %d times in %v", e.Reason, p.failed,
			took.Round(time.Second))}
	}
	if p.failed == 3 { // one or two failures are normal
		s.warn(fmt.Sprintf("object storage does not answer for %s (%s): trying again", name, e.Reason))
	}
	return migrate.Sleep(ctx, s.pause.Backoff(p.failed, rand.Float64()))
}

// query makes a request with a short answer, and repeats it as long as after says.
func (s *Store) query(ctx context.Context, name string, ask func(ctx context.Context) error) error {
	var p patience
	for {
		limited, cancel := context.WithTimeout(ctx, queryTimeout)
		err := ask(limited)
		cancel()
		if err == nil {
			s.answered.Store(true)
			return nil
		}
		if err := s.after(ctx, &p, name, err); err != nil {
			return err
		}
	}
}
