package lab

// broken is a panic with an error of the bench itself, such as a mount that fails.
type broken struct{ error }

// Check ends the case that is under way if there is an error of the bench, as t.Fatal ends a test.
// The function that Catch calls is left at once; what it has deferred is done.
func Check(err error) {
	if err != nil {
		panic(broken{err})
	}
}

// Must is the value of a call that has to work.
func Must[T any](v T, err error) T {
	Check(err)
	return v
}

// Catch calls f and returns the error that Check ended it with.
func Catch(f func()) (err error) {
	defer func() {
		switch why := recover().(type) {
		case nil:
		case broken:
			err = why.error
		default:
			panic(why)
		}
	}()
	f()
	return nil
}
