package source

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"friendmigrate/source/objects"
)

// Standard is how the user names standard input.
const Standard = "-"

// isStream reports whether a name stands for what a process was given when it began. A later
// command finds something else there.
func isStream(name string) bool {
	return name == Standard || slices.Contains([]string{"/dev/stdin", "/dev/fd", "/proc/self/fd"}, name) ||
		slices.Contains([]string{"/dev/fd", "/proc/self/fd"}, path.Dir(name))
}

// Input is what a job remembers of one of its inputs.
type Input struct {
	Name   string `json:"name"`   // as the user named it, a file of a folder with the folder's name before it
	Format string `json:"format"` // CSV or JSONL
	Digest string `json:"digest"` // SHA-256 of the whole raw content (compressed if it is), in hex

	// Size is in bytes of the raw content, the times are in nanoseconds since 1970. While these
	// four are as they were the content is taken for unchanged. Of an object it is Name, Size,
	// ModTime and ETag.
	Size       int64  `json:"size"`
	ModTime    int64  `json:"mtime,omitempty"`
	ChangeTime int64  `json:"ctime,omitempty"`
	Inode      uint64 `json:"inode,omitempty"`
	ETag       string `json:"etag,omitempty"`

	Std bool `json:"stdin,omitempty"` // standard input, or another stream without a stat to trust
}

// compression is how the content of an input is packed.
type compression uint8

const (
	compressionNone compression = iota
	compressionGzip
	compressionZstd
)

// String names the program that packs and unpacks.
func (c compression) String() string { return [...]string{"", "gzip", "zstd"}[c] }

func (c compression) ext() string { return [...]string{"", ".gz", ".zst"}[c] }

// nameSays tells format and compression by a file's name; "" and compressionNone where it doesn't
// say.
func nameSays(name string) (format string, packed compression) {
	ext := filepath.Ext(name)
	switch strings.ToLower(ext) {
	case ".gz":
		packed, name = compressionGzip, strings.TrimSuffix(name, ext)
	case ".zst":
		packed, name = compressionZstd, strings.TrimSuffix(name, ext)
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv":
		format = CSV
	case ".jsonl", ".ndjson":
		format = JSONL
	}
	return format, packed
}

// isHidden tells by the name of a file in a folder that it is no input: Hadoop and others hide
// files so.
func isHidden(base string) bool { return strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") }

// IsInput reports whether a folder's file of that name is one of its inputs.
func IsInput(base, format string) bool {
	said, _ := nameSays(base)
	return !isHidden(base) && (said != "" || format != "")
}

// download is a command that makes a file of a URL; nil for one of another kind.
func download(url string) func(quote func(string) string) string {
	if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
		return nil
	}
	return func(quote func(string) string) string { return "curl -fO " + quote(url) }
}

// inputFault tells what the user can fix (there is no such file, it may not be read) from a failure
// of the machine.
func inputFault(name string, err error) error {
	if answer := (*objects.Error)(nil); errors.As(err, &answer) {
		return objectFault(name, answer)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.Contains(name, "://"):
		reason := "objects are named s3://BUCKET/KEY, and --s3-endpoint says of which store"
		return &InputError{Name: name, Reason: reason, Err: fs.ErrNotExist, Fix: download(name)}
	case errors.Is(err, fs.ErrNotExist):
		return &InputError{Name: name, Reason: "there is no such file", Err: fs.ErrNotExist}
	case errors.Is(err, fs.ErrPermission):
		return &InputError{Name: name, Reason: "it may not be read", Err: fs.ErrPermission}
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.ENAMETOOLONG):
		cause, _ := errors.AsType[syscall.Errno](err)
		return &InputError{Name: name, Reason: "it cannot be opened: " + cause.Error()}
	}
	return fmt.Errorf("read input %q: %w", name, err)
}
