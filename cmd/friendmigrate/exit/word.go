package exit

// Word is the code in one word, for programs that would rather read than look up; "" for what is no
// code.
func (c Code) Word() string {
	return map[Code]string{
		Done: "done", Unexpected: "unexpected", Unusable: "unusable", Exceptions: "exceptions",
		Unfinished: "unfinished", Different: "different",
		Systematic: "systematic", OtherJob: "other-job", InUse: "in-use", Refused: "refused",
	}[c]
}
