package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"friendmigrate/source/objects"
)

// stampObject fills in what tells an unchanged object.
func (in *Input) stampObject(o objects.Object) {
	in.Size, in.ModTime, in.ETag = o.Size, o.Modified.UnixNano(), o.ETag
}

// openObject begins to read an object.
func (in *openInput) openObject(ctx context.Context, store *objects.Store) error {
	bucket, key, err := parseObject(in.Name, store)
	if err != nil {
		return err
	}
	if in.object, err = store.Open(ctx, bucket, key); err != nil {
		return inputFault(in.Name, err)
	}
	in.stampObject(in.object.Object())
	in.raw.from = in.object
	return nil
}

func parseObject(name string, store *objects.Store) (bucket, key string, err error) {
	if store == nil {
		return "", "", &InputError{Name: name, Reason: "object storage is not an input here"}
	}
	if bucket, key, err = objects.ParseName(name); err != nil {
		return "", "", &InputError{Name: name, Reason: err.Error()}
	}
	return bucket, key, nil
}

// expandObject lists the inputs of an argument that begins with s3://. A name without / at its end
// is an object, and where there is none of that name, a prefix as a folder's name is one.
func (a *Arguments) expandObject(ctx context.Context, arg string) ([]Found, error) {
	bucket, key, err := parseObject(arg, a.Objects)
	if err != nil {
		return nil, err
	}
	var missing error
	if key != "" && !strings.HasSuffix(key, "/") {
		o, err := a.Objects.Stat(ctx, bucket, key)
		if err == nil {
			return []Found{{Name: arg, Size: o.Size, object: &o}}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, inputFault(arg, err)
		}
		key, missing = key+"/", inputFault(arg, err)
	}
	list, err := a.Objects.List(ctx, bucket, key)
	if missing != nil && (err == nil && len(list) == 0 || errors.As(err, new(*objects.Error)) &&
		!errors.Is(err, fs.ErrNotExist)) {
		return nil, missing // whether it is a prefix is nobody's first question
	}
	if err != nil {
		return nil, inputFault(arg, err)
	}
	return a.among(arg, list)
}

// among picks the inputs among the objects of a prefix, as of a folder. A prefix without any
// objects is not there: nothing else makes one.
func (a *Arguments) among(arg string, list []objects.Object) ([]Found, error) {
	if len(list) == 0 {
		return nil, objectFault(arg, &objects.Error{Kind: objects.Missing,
			Reason: "there are no objects below this prefix"})
	}
	var beside LeftOut
	var found []Found
	for _, o := range list {
		if folder := strings.HasSuffix(o.Key, "/"); !folder && IsInput(path.Base(o.Key), a.Format) {
			found = append(found, Found{Name: o.Name(), Size: o.Size, object: &o})
		} else {
			beside.add(o.Name(), folder)
		}
	}
	return found, a.left.take(arg, found, beside)
}

// objectFault tells what the user can fix from a store that gives no answer.
func objectFault(name string, e *objects.Error) error {
	if e.Kind == objects.Unreachable {
		return fmt.Errorf("read input %q: %w: %w", name, ErrUnreachable, e)
	}
	return &InputError{Name: name, Reason: "object storage", Err: e}
}
