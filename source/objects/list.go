package objects

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// Scheme is the beginning of an object's name.
const Scheme = "s3://"

// IsName reports whether an argument names an object, a prefix or a bucket.
func IsName(arg string) bool { return strings.HasPrefix(arg, Scheme) }

// Name returns the name of an object: s3://bucket/key.
func Name(bucket, key string) string { return Scheme + bucket + "/" + key }

// ParseName splits a name. Everything after the bucket is the key, unchanged: nothing is unescaped,
// and ? and # have no meaning. A key that is empty or ends with / is a prefix.
func ParseName(name string) (bucket, key string, err error) {
	bucket, key, _ = strings.Cut(strings.TrimPrefix(name, Scheme), "/")
	switch {
	case bucket == "":
		return "", "", errors.New("there is no bucket in it: it has to be s3://BUCKET/KEY, or s3://BUCKET/PREFIX/")
	case strings.ContainsAny(bucket, "@:?#"):
		return "", "", errors.New("it has to be s3://BUCKET/KEY: credentials come from the environment, and the host " +
			"from --s3-endpoint")
	}
	if err := s3utils.CheckValidBucketName(bucket); err != nil {
		return "", "", fmt.Errorf("its bucket can't be one: %w", err)
	}
	return bucket, key, nil
}

// Object describes an object. Equal Objects have the same content.
type Object struct {
	Bucket, Key string
	Size        int64     // bytes
	ETag        string    // without quotes
	Modified    time.Time // to the second, the precision of every answer
}

// Name returns s3://bucket/key.
func (o Object) Name() string { return Name(o.Bucket, o.Key) }

// sameAs reports whether two objects can have the same content. Some stores have no ETag.
func (o Object) sameAs(other Object) bool {
	return o.Size == other.Size && o.ETag == other.ETag && (o.ETag != "" || o.Modified.Equal(other.Modified))
}

func objectOf(bucket, key string, info minio.ObjectInfo) Object {
	return Object{Bucket: bucket, Key: key, Size: info.Size, ETag: info.ETag,
		Modified: info.LastModified.UTC().Truncate(time.Second)}
}

// Stat returns the description of one object.
func (s *Store) Stat(ctx context.Context, bucket, key string) (o Object, err error) {
	err = s.query(ctx, Name(bucket, key), func(ctx context.Context) error {
		info, err := s.core.StatObject(ctx, bucket, key, minio.StatObjectOptions{})
		if err != nil {
			return s.reason(ctx, bucket, key, err)
		}
		o = objectOf(bucket, key, info)
		return nil
	})
	return o, err
}

// reason finds out why a HEAD of an object failed. Unlike the answer to a HEAD, that to a GET has a
// body with the reason.
func (s *Store) reason(ctx context.Context, bucket, key string, err error) error {
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) || answer.StatusCode < 400 || answer.StatusCode > http.StatusNotFound {
		return err
	}
	body, _, _, why := s.core.GetObject(ctx, bucket, key, minio.GetObjectOptions{})
	if why == nil {
		body.Close() // only read from
		return err
	}
	return why
}

// List returns the objects directly below a prefix, in the order of keys. The prefix is empty or
// ends with /. A folder below the prefix is one object without a size, whose key ends with /; the
// objects in it are not listed.
func (s *Store) List(ctx context.Context, bucket, prefix string) ([]Object, error) {
	var list []Object
	err := s.query(ctx, Name(bucket, prefix), func(ctx context.Context) error {
		var err error
		list, err = s.list(ctx, bucket, prefix, false)
		if answer := (minio.ErrorResponse{}); errors.As(err, &answer) && answer.Code == "NotImplemented" {
			list, err = s.list(ctx, bucket, prefix, true) // a store that supports only the first version of listing
		}
		return err
	})
	slices.SortFunc(list, func(a, b Object) int { return cmp.Compare(a.Key, b.Key) })
	return list, err
}

func (s *Store) list(ctx context.Context, bucket, prefix string, v1 bool) ([]Object, error) {
	list := []Object{}
	noOwner := false
	for info := range s.core.ListObjectsIter(ctx, bucket, minio.ListObjectsOptions{Prefix: prefix, UseV1: v1,
		FetchOwner: &noOwner}) {
		if info.Err != nil {
			return nil, info.Err
		}
		if info.Key != prefix { // some tools mark a folder by an empty object of that name
			list = append(list, objectOf(bucket, info.Key, info))
		}
	}
	return list, ctx.Err()
}
