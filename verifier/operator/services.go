package operator

// A service says how its requests look: query and XML if it has a version, else
// JSON, with a target header or with paths (REST).
type service struct {
	// id is the service's name in the SDK ("serviceId" in botocore's models). The names
	// AWS_ENDPOINT_URL_… and those of a services section are made from it.
	id      string
	version string
	target  string
	global  bool   // it answers in one region of a partition, see homeOf
	prefix  string // of permissions, if it is not the name that is signed
}

// services are all that stanch asks, by the name that is signed. hosts.go has their hosts.
var services = map[string]service{
	"iam":           {id: "IAM", version: "2010-05-08", global: true},
	"sts":           {id: "STS", version: "2011-06-15"},
	"ec2":           {id: "EC2", version: "2016-11-15"},
	"monitoring":    {id: "CloudWatch", version: "2010-08-01", prefix: "cloudwatch"},
	"logs":          {id: "CloudWatch Logs", target: "Logs_20140328"},
	"cloudtrail":    {id: "CloudTrail", target: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"},
	"organizations": {id: "Organizations", target: "AWSOrganizationsV20161128", global: true},
	"support":       {id: "Support", target: "AWSSupport_20130415", global: true},
	"health":        {id: "Health", target: "AWSHealth_20160804", global: true},
	"guardduty":     {id: "GuardDuty"},
	"securityhub":   {id: "SecurityHub"},
	"events":        {id: "EventBridge", target: "AWSEvents"},
	"sns":           {id: "SNS", version: "2010-03-31"},
	"ce":            {id: "Cost Explorer", target: "AWSInsightsIndexService", global: true},
	"account":       {id: "Account", global: true},
}

// permission returns the name of the IAM action that a call needs.
func permission(service, action string) string {
	if p := services[service].prefix; p != "" {
		service = p
	}
	return service + ":" + action
}
