package checkpoint

import "errors"

// What is wrong with a journal. They are wrapped with the file's name and the place.
var (
	// ErrDamaged: the file was changed by something that is neither this program nor a crash of it.
	// Nothing was changed by opening it.
	ErrDamaged = errors.New("the journal is damaged")

	// ErrNewer: a newer version of the program wrote the file.
	ErrNewer = errors.New("the journal was written by a newer version of friendmigrate")

	// ErrLocked: another process holds the lock of the state folder.
	ErrLocked = errors.New("the state folder is in use by another process")

	// ErrClosed: the journal was closed.
	ErrClosed = errors.New("the journal is closed")

	// ErrReadOnly: the journal was opened for reading.
	ErrReadOnly = errors.New("the journal is open for reading only")
)
