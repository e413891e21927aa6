package objects

import (
	"errors"
	"fmt"
	"strings"

	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// Scheme is how the name of an object begins.
const Scheme = "s3://"

// IsName reports whether an argument names an object, a prefix or a bucket.
func IsName(arg string) bool { return strings.HasPrefix(arg, Scheme) }

// Name is the name of an object: s3://bucket/key.
func Name(bucket, key string) string { return Scheme + bucket + "/" + key }

// ParseName splits a name. Everything behind the bucket is the key, as it is: nothing of it is
// unescaped, and ? and # have no meaning. A key that is empty or ends with / is a prefix.
func ParseName(name string) (bucket, key string, err error) {
	bucket, key, _ = strings.Cut(strings.TrimPrefix(name, Scheme), "/")
	switch {
	case bucket == "":
		return "", "", errors.New("there is no bucket in it: it has to be s3://BUCKET/KEY, or s3://BUCKET/PREFIX/")
	case strings.ContainsAny(bucket, "@:?#"):
		return "", "",
			errors.New("it has to be s3://BUCKET/KEY: credentials come from the environment, and the host from " +
				"--s3-endpoint")
	}
	if err := s3utils.CheckValidBucketName(bucket); err != nil {
		return "", "", fmt.Errorf("its bucket can't be one: %w", err)
	}
	return bucket, key, nil
}
