package simulator

// The vendor documents few texts. Those that are documented or were seen are used as they are:
// Err_SNS_FriendImport_My_Friend_Num_Exceed_Threshold, Err_SNS_FriendImport_SdkAppId_Illegal,
// Err_SNS_FriendCheck_Check_Relation_Exec_Task_Fail (pages of the APIs), Err_Sns_Invalid_Account
// (seen for an unknown From_Account), Err_SNS_FriendAdd_Source_Illegal and
// Err_SNS_FriendUpdate_Group_Num_Exceed_Threshold (seen at sister calls). The others follow their
// pattern. A client must not depend on any of them but for Friend_Exist.

// prefix is how the texts of an API begin.
func prefix(api string) string {
	switch api {
	case apiImport:
		return "Err_SNS_FriendImport_"
	case apiCheck:
		return "Err_SNS_FriendCheck_"
	case apiGet:
		return "Err_SNS_FriendGet_"
	case apiUpdate:
		return "Err_SNS_FriendUpdate_"
	case apiDelete:
		return "Err_SNS_FriendDelete_"
	}
	return "Err_TLS_"
}

// illegal is the text of a 30001 about a field.
func illegal(api, field string) string { return prefix(api) + field + "_Illegal" }

// itemText is the ResultInfo of an item.
func itemText(api string, code int) string {
	p := prefix(api)
	switch code {
	case 0:
		return ""
	case 30002:
		return p + "SdkAppId_Illegal"
	case 30003:
		return p + "Invalid_Account"
	case 30006:
		if api == apiCheck {
			return p + "Check_Relation_Exec_Task_Fail"
		}
		return p + "Exec_Task_Fail"
	case 30007:
		return p + "Network_Timeout"
	case 30008:
		return p + "Write_Conflict"
	case 30010:
		return p + "My_Friend_Num_Exceed_Threshold"
	case 30011:
		return p + "Group_Num_Exceed_Threshold"
	case 30015:
		return p + "Already_Friend"
	case 31704:
		return p + "Friend_Not_Exist"
	}
	return p + "Fail"
}

// callText is the ErrorInfo of a whole call.
func callText(api string, code int) string {
	switch code {
	case 30001:
		return prefix(api) + "Param_Illegal"
	case 30003:
		return "Err_Sns_Invalid_Account"
	case 30004:
		return "Err_Sns_Need_App_Admin"
	case 60002:
		return "HTTP parse error, check the URL and the method"
	case 60006:
		return "invalid sdkappid"
	case 60007:
		return "REST API call frequency over the limit"
	case 60008:
		return "service request timeout"
	case 60009:
		return "requested resource not found, check the URL"
	case 60010:
		return "request requires app admin permissions"
	case 60011, 60018, 60019:
		return "sdkappid request frequency over the limit"
	case 60012:
		return "sdkappid missing in the URL"
	case 60025:
		return "URL parameter wrong, check sdkappid, identifier, usersig, random and contenttype"
	case 60028:
		return "request volume of the trial edition used up"
	case 70001:
		return "UserSig expired"
	case 70002:
		return "UserSig is empty"
	case 70003:
		return "UserSig check failed, malformed"
	case 70009:
		return "UserSig check failed, check the key"
	case 70013:
		return "identifier differs from the one in the UserSig"
	case 70014:
		return "sdkappid differs from the one in the UserSig"
	case 70020:
		return "sdkappid not found"
	case 70050:
		return "UserSig check failed too often, try again in a minute"
	case 70052:
		return "UserSig was invalidated"
	case 70107:
		return "requested account does not exist"
	case 70206:
		return "number of accounts out of range"
	case 70403:
		return "requires app admin permissions"
	}
	if code >= 30000 && code < 40000 {
		return itemText(api, code)
	}
	return "error"
}
