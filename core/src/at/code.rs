//! The error codes of section 7: what `ERR CODE:0x%08x` may say.
//!
//! All of 0x6001 to 0x6052 exist, raised or reserved, under the names that the two source documents and host
//! drivers use. This module says nothing about which input raises which code: rows of [`super::command`] do for
//! parameters, the actions for the rest.

macro_rules! codes {
    ($($variant:ident = $value:literal, $name:literal;)*) => {
        /// Why a command was refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Code {
            $(#[doc = concat!("`", $name, "`, ", stringify!($value))] $variant = $value,)*
        }

        impl Code {
            /// Every code, in ascending order of value.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The documented C name, misprints included (`AT_MQTT_NULL_PARAMTER`).
            pub const fn name(self) -> &'static str {
                match self {
                    $(Code::$variant => $name,)*
                }
            }
        }
    };
}

codes! {
    NoConfigured = 0x6001, "AT_MQTT_NO_CONFIGURED";
    NotInConfiguredState = 0x6002, "AT_MQTT_NOT_IN_CONFIGURED_STATE";
    UninitiatedOrAlreadyClean = 0x6003, "AT_MQTT_UNINITIATED_OR_ALREADY_CLEAN";
    AlreadyConnected = 0x6004, "AT_MQTT_ALREADY_CONNECTED";
    MallocFailed = 0x6005, "AT_MQTT_MALLOC_FAILED";
    NullLink = 0x6006, "AT_MQTT_NULL_LINK";
    NullParameter = 0x6007, "AT_MQTT_NULL_PARAMTER";
    ParameterCountsIsWrong = 0x6008, "AT_MQTT_PARAMETER_COUNTS_IS_WRONG";
    TlsConfigError = 0x6009, "AT_MQTT_TLS_CONFIG_ERROR";
    ParamPrepareError = 0x600a, "AT_MQTT_PARAM_PREPARE_ERROR";
    ClientStartFailed = 0x600b, "AT_MQTT_CLIENT_START_FAILED";
    ClientPublishFailed = 0x600c, "AT_MQTT_CLIENT_PUBLISH_FAILED";
    ClientSubscribeFailed = 0x600d, "AT_MQTT_CLIENT_SUBSCRIBE_FAILED";
    ClientUnsubscribeFailed = 0x600e, "AT_MQTT_CLIENT_UNSUBSCRIBE_FAILED";
    ClientDisconnectFailed = 0x600f, "AT_MQTT_CLIENT_DISCONNECT_FAILED";
    LinkIdReadFailed = 0x6010, "AT_MQTT_LINK_ID_READ_FAILED";
    LinkIdValueIsWrong = 0x6011, "AT_MQTT_LINK_ID_VALUE_IS_WRONG";
    SchemeReadFailed = 0x6012, "AT_MQTT_SCHEME_READ_FAILED";
    SchemeValueIsWrong = 0x6013, "AT_MQTT_SCHEME_VALUE_IS_WRONG";
    ClientIdReadFailed = 0x6014, "AT_MQTT_CLIENT_ID_READ_FAILED";
    ClientIdIsNull = 0x6015, "AT_MQTT_CLIENT_ID_IS_NULL";
    ClientIdIsOverlength = 0x6016, "AT_MQTT_CLIENT_ID_IS_OVERLENGTH";
    UsernameReadFailed = 0x6017, "AT_MQTT_USERNAME_READ_FAILED";
    UsernameIsNull = 0x6018, "AT_MQTT_USERNAME_IS_NULL";
    UsernameIsOverlength = 0x6019, "AT_MQTT_USERNAME_IS_OVERLENGTH";
    PasswordReadFailed = 0x601a, "AT_MQTT_PASSWORD_READ_FAILED";
    PasswordIsNull = 0x601b, "AT_MQTT_PASSWORD_IS_NULL";
    PasswordIsOverlength = 0x601c, "AT_MQTT_PASSWORD_IS_OVERLENGTH";
    CertKeyIdReadFailed = 0x601d, "AT_MQTT_CERT_KEY_ID_READ_FAILED";
    CertKeyIdValueIsWrong = 0x601e, "AT_MQTT_CERT_KEY_ID_VALUE_IS_WRONG";
    CaIdReadFailed = 0x601f, "AT_MQTT_CA_ID_READ_FAILED";
    CaIdValueIsWrong = 0x6020, "AT_MQTT_CA_ID_VALUE_IS_WRONG";
    CaLengthError = 0x6021, "AT_MQTT_CA_LENGTH_ERROR";
    CaReadFailed = 0x6022, "AT_MQTT_CA_READ_FAILED";
    CertLengthError = 0x6023, "AT_MQTT_CERT_LENGTH_ERROR";
    CertReadFailed = 0x6024, "AT_MQTT_CERT_READ_FAILED";
    KeyLengthError = 0x6025, "AT_MQTT_KEY_LENGTH_ERROR";
    KeyReadFailed = 0x6026, "AT_MQTT_KEY_READ_FAILED";
    PathReadFailed = 0x6027, "AT_MQTT_PATH_READ_FAILED";
    PathIsNull = 0x6028, "AT_MQTT_PATH_IS_NULL";
    PathIsOverlength = 0x6029, "AT_MQTT_PATH_IS_OVERLENGTH";
    VersionReadFailed = 0x602a, "AT_MQTT_VERSION_READ_FAILED";
    KeepaliveReadFailed = 0x602b, "AT_MQTT_KEEPALIVE_READ_FAILED";
    KeepaliveIsNull = 0x602c, "AT_MQTT_KEEPALIVE_IS_NULL";
    KeepaliveValueIsWrong = 0x602d, "AT_MQTT_KEEPALIVE_VALUE_IS_WRONG";
    DisableCleanSessionReadFailed = 0x602e, "AT_MQTT_DISABLE_CLEAN_SESSION_READ_FAILED";
    DisableCleanSessionValueIsWrong = 0x602f, "AT_MQTT_DISABLE_CLEAN_SESSION_VALUE_IS_WRONG";
    LwtTopicReadFailed = 0x6030, "AT_MQTT_LWT_TOPIC_READ_FAILED";
    LwtTopicIsNull = 0x6031, "AT_MQTT_LWT_TOPIC_IS_NULL";
    LwtTopicIsOverlength = 0x6032, "AT_MQTT_LWT_TOPIC_IS_OVERLENGTH";
    LwtMsgReadFailed = 0x6033, "AT_MQTT_LWT_MSG_READ_FAILED";
    LwtMsgIsNull = 0x6034, "AT_MQTT_LWT_MSG_IS_NULL";
    LwtMsgIsOverlength = 0x6035, "AT_MQTT_LWT_MSG_IS_OVERLENGTH";
    LwtQosReadFailed = 0x6036, "AT_MQTT_LWT_QOS_READ_FAILED";
    LwtQosValueIsWrong = 0x6037, "AT_MQTT_LWT_QOS_VALUE_IS_WRONG";
    LwtRetainReadFailed = 0x6038, "AT_MQTT_LWT_RETAIN_READ_FAILED";
    LwtRetainValueIsWrong = 0x6039, "AT_MQTT_LWT_RETAIN_VALUE_IS_WRONG";
    HostReadFailed = 0x603a, "AT_MQTT_HOST_READ_FAILED";
    HostIsNull = 0x603b, "AT_MQTT_HOST_IS_NULL";
    HostIsOverlength = 0x603c, "AT_MQTT_HOST_IS_OVERLENGTH";
    PortReadFailed = 0x603d, "AT_MQTT_PORT_READ_FAILED";
    PortValueIsWrong = 0x603e, "AT_MQTT_PORT_VALUE_IS_WRONG";
    ReconnectReadFailed = 0x603f, "AT_MQTT_RECONNECT_READ_FAILED";
    ReconnectValueIsWrong = 0x6040, "AT_MQTT_RECONNECT_VALUE_IS_WRONG";
    TopicReadFailed = 0x6041, "AT_MQTT_TOPIC_READ_FAILED";
    TopicIsNull = 0x6042, "AT_MQTT_TOPIC_IS_NULL";
    TopicIsOverlength = 0x6043, "AT_MQTT_TOPIC_IS_OVERLENGTH";
    DataReadFailed = 0x6044, "AT_MQTT_DATA_READ_FAILED";
    DataIsNull = 0x6045, "AT_MQTT_DATA_IS_NULL";
    DataIsOverlength = 0x6046, "AT_MQTT_DATA_IS_OVERLENGTH";
    QosReadFailed = 0x6047, "AT_MQTT_QOS_READ_FAILED";
    QosValueIsWrong = 0x6048, "AT_MQTT_QOS_VALUE_IS_WRONG";
    RetainReadFailed = 0x6049, "AT_MQTT_RETAIN_READ_FAILED";
    RetainValueIsWrong = 0x604a, "AT_MQTT_RETAIN_VALUE_IS_WRONG";
    PublishLengthReadFailed = 0x604b, "AT_MQTT_PUBLISH_LENGTH_READ_FAILED";
    PublishLengthValueIsWrong = 0x604c, "AT_MQTT_PUBLISH_LENGTH_VALUE_IS_WRONG";
    RecvLengthIsWrong = 0x604d, "AT_MQTT_RECV_LENGTH_IS_WRONG";
    CreateSemaFailed = 0x604e, "AT_MQTT_CREATE_SEMA_FAILED";
    CreateEventGroupFailed = 0x604f, "AT_MQTT_CREATE_EVENT_GROUP_FAILED";
    UriParseFailed = 0x6050, "AT_MQTT_URI_PARSE_FAILED";
    InDisconnectedState = 0x6051, "AT_MQTT_IN_DISCONNECTED_STATE";
    HostnameVerifyFailed = 0x6052, "AT_MQTT_HOSTNAME_VERIFY_FAILED";
}

impl Code {
    /// The number printed after `ERR CODE:`.
    pub const fn value(self) -> u16 {
        self as u16
    }
}

#[cfg(test)]
mod tests {
    use super::Code;
    use std::collections::BTreeSet;

    #[test]
    fn values_run_without_a_gap() {
        let values: std::vec::Vec<u16> = Code::ALL.iter().map(|code| code.value()).collect();
        let expected: std::vec::Vec<u16> = (0x6001..=0x6052).collect();
        assert_eq!(values, expected);
    }

    #[test]
    fn names_are_the_documents() {
        assert_eq!(Code::NoConfigured.name(), "AT_MQTT_NO_CONFIGURED");
        assert_eq!(Code::NullParameter.name(), "AT_MQTT_NULL_PARAMTER");
        assert_eq!(Code::ParamPrepareError.value(), 0x600a);
        assert_eq!(Code::TopicIsOverlength.value(), 0x6043);
        assert_eq!(Code::RecvLengthIsWrong.value(), 0x604d);
        assert_eq!(Code::HostnameVerifyFailed.name(), "AT_MQTT_HOSTNAME_VERIFY_FAILED");
        let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
