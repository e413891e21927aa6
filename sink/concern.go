package sink

// Concern is what a code that stops a job is about, in one word for a diagnosis.
type Concern string

// The concerns.
const (
	Credentials Concern = "credentials" // signature, key, clock
	AdminRight  Concern = "admin right"
	AppRegion   Concern = "region" // the app is unknown to this host, or disabled there
	Quota       Concern = "quota"  // plan, arrears, number of calls or users
	OtherFault  Concern = "service"
)

// Concern says what a code is about.
func (c Code) Concern() Concern {
	switch c.Code {
	case 70001, 70002, 70003, 70005, 70009, 70013, 70016, 70050, 70052, 70346, 60004, 60005:
		return Credentials
	case 30004, 60010, 60021, 70051, 70107, 70114, 70403:
		return AdminRight
	case 60006, 60009, 60016, 60026, 60027, 70014, 70020:
		return AppRegion
	case 60020, 60028, 70398, 72000, 72001, 72002, 72011, 72012, 80005:
		return Quota
	}
	return OtherFault
}
