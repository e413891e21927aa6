package source

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"

	"friendmigrate/migrate/disk"
	"friendmigrate/source/objects"
)

// rawReader reads the raw content of an input, and counts and digests it. It keeps its own error,
// so that a failing disk can be distinguished from damaged compression.
type rawReader struct {
	ctx  context.Context
	from io.Reader
	sum  hash.Hash
	n    int64
	all  *atomic.Int64 // of all inputs
	err  error         // other than io.EOF
}

func (r *rawReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		r.err = err
		return 0, err
	}
	n, err := r.from.Read(p)
	r.sum.Write(p[:n])
	r.n += int64(n)
	r.all.Add(int64(n))
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// openInput is an input that is being read. Its content is known to be sound only after finish has
// returned without an error.
type openInput struct {
	Input
	raw       *rawReader
	unchanged func() error // called at the end: an error if it changed; nil: a stream
	closes    []func()
	packed    compression
	content   io.Reader // uncompressed
}

// opener opens inputs: files, objects and standard input.
type opener struct {
	fs       disk.FS
	stdin    io.Reader
	objects  *objects.Store
	window   int64 // most bytes of history that zstd may need
	progress *readProgress
}

// open opens an input and begins to unpack it.
func (o *opener) open(ctx context.Context, name, format string) (*openInput, error) {
	in, err := o.openRaw(ctx, name)
	if err != nil {
		return nil, err
	}
	said, packed := nameSays(name)
	in.Format, in.packed = cmp.Or(said, format), packed
	if err := in.unpack(o.window); err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

// openRaw opens an input for its raw content.
func (o *opener) openRaw(ctx context.Context, name string) (*openInput, error) {
	in := &openInput{Input: Input{Name: name}, raw: &rawReader{ctx: ctx, sum: sha256.New(), all: &o.progress.bytes}}
	if name == Standard {
		o.progress.waitsFor("standard input")
		in.Std = true
		in.stream(ctx, o.stdin)
		return in, nil
	}
	if objects.IsName(name) {
		o.progress.waitsFor(fmt.Sprintf("object storage to give %q", name))
		return in, in.openObject(ctx, o.objects)
	}
	o.progress.waitsFor(fmt.Sprintf("input %q to be opened", name))
	file, err := disk.Wait(ctx, func() (disk.File, error) { return disk.Open(o.fs, name) })
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, inputFault(name, err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, inputFault(name, err)
	}
	o.progress.waitsFor(fmt.Sprintf("input %q to give more", name))
	in.raw.from, in.closes = file, append(in.closes, func() { file.Close() }) // only read from
	in.unchanged = func() error { return in.asIn(file) }
	if in.stamp(info); in.Std { // a named pipe, say
		in.stream(ctx, file)
	}
	return in, nil
}

func (in *openInput) openObject(ctx context.Context, store *objects.Store) error {
	bucket, key, err := parseObject(in.Name, store)
	if err != nil {
		return err
	}
	object, err := store.Open(ctx, bucket, key)
	if err != nil {
		return inputFault(in.Name, err)
	}
	in.Input = inputOf(in.Name, object.Object())
	in.raw.from, in.closes = object, append(in.closes, object.Close)
	in.unchanged = func() error {
		if err := object.Unchanged(); err != nil {
			return in.fault(err)
		}
		return nil
	}
	return nil
}

func (in *openInput) stream(ctx context.Context, from io.Reader) {
	ctx, stop := context.WithCancel(ctx)
	in.raw.from, in.closes = interruptible(ctx, from), append(in.closes, stop)
}

// interruptible makes reads of a terminal or pipe end with ctx. Nothing in Go interrupts a read
// that waits in the kernel, so the goroutine of that read remains when ctx ends. It ends with the
// stream or the process, and touches nothing that is still in use.
func interruptible(ctx context.Context, from io.Reader) io.Reader {
	out, in := io.Pipe()
	context.AfterFunc(ctx, func() { in.CloseWithError(ctx.Err()) })
	go func() {
		_, err := io.CopyBuffer(in, struct{ io.Reader }{from}, make([]byte, blockSize))
		in.CloseWithError(err)
	}()
	return out
}

// fault turns an error of reading the content into an *InputError or a failure of the machine.
func (in *openInput) fault(err error) error {
	test := wrong{look: in.packed.String() + " -t"}
	switch {
	case errors.As(err, new(*InputError)), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(in.raw.err, context.Canceled), errors.Is(in.raw.err, context.DeadlineExceeded):
		return in.raw.err
	case in.raw.err != nil:
		return inputFault(in.Name, in.raw.err)
	case errors.As(err, new(*objects.Error)): // the store about the object after it was read
		return inputFault(in.Name, err)
	case in.packed == compressionNone:
		return fmt.Errorf("read input %q: %w", in.Name, err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		reason := fmt.Sprintf("the compressed data is cut short: it ends after byte %d", in.raw.n)
		return &InputError{Name: in.Name, Reason: reason, Fix: test.fix(in.Name, compressionNone)}
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		reason := "unpacking needs more memory than allowed: raise --memory or unpack it first"
		unpack := wrong{filter: "zstd -dc --long=31"}
		return &InputError{Name: in.Name, Reason: reason, Err: err, Fix: unpack.fix(in.Name, compressionNone)}
	}
	reason := fmt.Sprintf("the compressed data is damaged, at or before byte %d", in.raw.n)
	return &InputError{Name: in.Name, Reason: reason, Err: err, Fix: test.fix(in.Name, compressionNone)}
}

// finish is called at the end of the content. It reads the rest of the raw content, sets Digest,
// and makes sure that the input did not change meanwhile.
func (in *openInput) finish() error {
	rest := int64(blockSize) // the size of a stream is not known
	if !in.Std {
		rest = min(max(in.Size-in.raw.n, 512), blockSize)
	}
	for buffer := make([]byte, rest); ; {
		if _, err := in.raw.Read(buffer); err == io.EOF {
			break
		} else if err != nil {
			return in.fault(err)
		}
	}
	in.Digest = hex.EncodeToString(in.raw.sum.Sum(nil))
	if in.Std {
		in.Size = in.raw.n
		return nil
	}
	return in.unchanged()
}

// asIn returns an error if the file changed since it was opened.
func (in *openInput) asIn(file disk.File) error {
	info, err := file.Stat()
	if err != nil {
		return inputFault(in.Name, err)
	}
	var now Input
	now.stamp(info)
	if now.Size != in.Size || now.ModTime != in.ModTime || in.raw.n != in.Size {
		return &InputError{Name: in.Name, Reason: "it changed while it was being read"}
	}
	return nil
}

func (in *openInput) close() {
	for _, shut := range slices.Backward(in.closes) {
		shut()
	}
}
