//! What the guest may call: every function of `linker/sdk-symbols.txt`, with the number of its words.

use w800_mqtt_at::sdk::bindings as sdk;

use super::call::{Outcome, Row, Words};
use super::{at, contexts, crypto, device, libc, nvs, osal, queue, radio, sockets, tls};

const fn row(name: &'static str, arguments: u8, thunk: fn(Words) -> Outcome) -> Row {
    Row { name, arguments, thunk }
}

/// A variadic one: the words that may be there.
const VARIADIC: u8 = 8;

static ROWS: &[Row] = &[
    row("__real_wm_atcmd_dev_register", 3, device::register),
    row("wm_atcmd_dev_register", 3, device::register),
    row("wm_atcmd_print_raw_data", 2, at::print_raw_data),
    row("wm_atcmd_enter_passthrough", 4, at::enter_passthrough),
    row("wm_atcmd_exit_passthrough", 1, at::exit_passthrough),
    row("uart_send", 2, device::uart_send),
    row("uart_recv", 3, device::uart_recv),
    row("wm_heap_get_free_size", 0, osal::heap_get_free_size),
    row("wm_log_printf", VARIADIC, osal::log_printf),
    row("wm_os_internal_get_time_ms", 0, osal::get_time_ms),
    row("wm_os_internal_release_critical", 0, osal::release_critical),
    row("wm_os_internal_mutex_acquire", 2, osal::mutex_acquire),
    row("wm_os_internal_mutex_create", 1, osal::mutex_create),
    row("wm_os_internal_mutex_release", 1, osal::mutex_release),
    row("wm_os_internal_sem_acquire_ms", 2, osal::sem_acquire_ms),
    row("wm_os_internal_sem_create", 2, osal::sem_create),
    row("wm_os_internal_sem_release", 1, osal::sem_release),
    row("wm_os_internal_set_critical", 0, osal::set_critical),
    row("wm_os_internal_task_create", 7, osal::task_create),
    row("wm_os_internal_task_del", 1, osal::task_del),
    row("wm_os_internal_task_id", 0, osal::task_id),
    row("wm_os_internal_time_delay_ms", 1, osal::time_delay_ms),
    row("wm_system_reboot", 0, osal::reboot),
    row("close", 1, sockets::close),
    row("connect", 3, sockets::connect),
    row("dns_gethostbyname", 4, sockets::dns_gethostbyname),
    row("getsockopt", 5, sockets::getsockopt),
    row("ioctl", 3, sockets::ioctl),
    row("ip4_route", 1, sockets::ip4_route),
    row("ip4addr_ntoa_r", 3, sockets::ipaddr_ntoa_r),
    row("ipaddr_ntoa_r", 3, sockets::ipaddr_ntoa_r),
    row("lwip_freeaddrinfo", 1, sockets::freeaddrinfo),
    row("lwip_getaddrinfo", 4, sockets::getaddrinfo),
    row("lwip_socket_thread_cleanup", 0, sockets::thread_cleanup),
    row("lwip_socket_thread_init", 0, sockets::thread_init),
    row("poll", 3, sockets::poll),
    row("recv", 4, sockets::recv),
    row("send", 4, sockets::send),
    row("setsockopt", 5, sockets::setsockopt),
    row("shutdown", 2, sockets::shutdown),
    row("socket", 3, sockets::socket),
    row("tcpip_callback", 2, sockets::tcpip_callback),
    row("mbedtls_ctr_drbg_free", 1, contexts::free::<sdk::mbedtls_ctr_drbg_context>),
    row("mbedtls_ctr_drbg_init", 1, contexts::init::<sdk::mbedtls_ctr_drbg_context>),
    row("mbedtls_ctr_drbg_random", 3, crypto::ctr_drbg_random),
    row("mbedtls_ctr_drbg_seed", 5, crypto::ctr_drbg_seed),
    row("mbedtls_entropy_free", 1, contexts::free::<sdk::mbedtls_entropy_context>),
    row("mbedtls_entropy_func", 3, crypto::entropy_func),
    row("mbedtls_entropy_init", 1, contexts::init::<sdk::mbedtls_entropy_context>),
    row("mbedtls_pk_check_pair", 4, crypto::pk_check_pair),
    row("mbedtls_pk_free", 1, contexts::free::<sdk::mbedtls_pk_context>),
    row("mbedtls_pk_init", 1, contexts::init::<sdk::mbedtls_pk_context>),
    row("mbedtls_pk_parse_key", 7, crypto::pk_parse_key),
    row("mbedtls_sha1", 3, crypto::sha1),
    row("mbedtls_sha256", 4, crypto::sha256),
    row("mbedtls_ssl_close_notify", 1, tls::ssl_close_notify),
    row("mbedtls_ssl_conf_alpn_protocols", 2, tls::ssl_conf_alpn_protocols),
    row("mbedtls_ssl_conf_authmode", 2, tls::ssl_conf_authmode),
    row("mbedtls_ssl_conf_ca_chain", 3, tls::ssl_conf_ca_chain),
    row("mbedtls_ssl_conf_max_frag_len", 2, tls::ssl_conf_max_frag_len),
    row("mbedtls_ssl_conf_own_cert", 3, tls::ssl_conf_own_cert),
    row("mbedtls_ssl_conf_rng", 3, tls::ssl_conf_rng),
    row("mbedtls_ssl_conf_verify", 3, tls::ssl_conf_verify),
    row("mbedtls_ssl_config_defaults", 4, tls::ssl_config_defaults),
    row("mbedtls_ssl_config_free", 1, contexts::free::<sdk::mbedtls_ssl_config>),
    row("mbedtls_ssl_config_init", 1, contexts::init::<sdk::mbedtls_ssl_config>),
    row("mbedtls_ssl_free", 1, contexts::free::<sdk::mbedtls_ssl_context>),
    row("mbedtls_ssl_get_session", 2, tls::ssl_get_session),
    row("mbedtls_ssl_get_verify_result", 1, tls::ssl_get_verify_result),
    row("mbedtls_ssl_handshake", 1, tls::ssl_handshake),
    row("mbedtls_ssl_init", 1, contexts::init::<sdk::mbedtls_ssl_context>),
    row("mbedtls_ssl_read", 3, tls::ssl_read),
    row("mbedtls_ssl_session_free", 1, contexts::free::<sdk::mbedtls_ssl_session>),
    row("mbedtls_ssl_session_init", 1, contexts::init::<sdk::mbedtls_ssl_session>),
    row("mbedtls_ssl_set_bio", 5, tls::ssl_set_bio),
    row("mbedtls_ssl_set_hostname", 2, tls::ssl_set_hostname),
    row("mbedtls_ssl_set_session", 2, tls::ssl_set_session),
    row("mbedtls_ssl_setup", 2, tls::ssl_setup),
    row("mbedtls_ssl_write", 3, tls::ssl_write),
    row("mbedtls_version_get_number", 0, crypto::version_get_number),
    row("mbedtls_x509_crt_free", 1, contexts::free::<sdk::mbedtls_x509_crt>),
    row("mbedtls_x509_crt_init", 1, contexts::init::<sdk::mbedtls_x509_crt>),
    row("mbedtls_x509_crt_parse", 3, crypto::x509_crt_parse),
    row("wm_nvs_close", 1, nvs::close),
    row("wm_nvs_del_key", 2, nvs::del_key),
    row("wm_nvs_get_blob", 4, nvs::get_blob),
    row("wm_nvs_get_info", 4, nvs::get_info),
    row("wm_nvs_open", 4, nvs::open),
    row("wm_nvs_set_blob", 4, nvs::set_blob),
    row("calloc", 2, libc::calloc),
    row("free", 1, libc::free),
    row("malloc", 1, libc::malloc),
    row("memcmp", 3, libc::memcmp),
    row("memcpy", 3, libc::memcpy),
    row("memmove", 3, libc::memmove),
    row("memset", 3, libc::memset),
    row("strlen", 1, libc::strlen),
    row("time", 1, libc::time),
    row("__muldi3", 4, libc::muldi3),
    // What lwIP, Mbed TLS and the board's layer in a whole image call (wm_sdk/chip).
    row("wm_heap_caps_alloc_tracing", 4, queue::alloc),
    row("wm_heap_caps_free", 1, libc::free),
    row("wm_os_internal_calloc_tracing", 4, queue::calloc),
    row("wm_os_internal_queue_create", 2, queue::create),
    row("wm_os_internal_queue_delete", 1, queue::delete),
    row("wm_os_internal_queue_forever_send", 2, queue::forever_send),
    row("wm_os_internal_queue_receive_ms", 3, queue::receive_ms),
    row("wm_os_internal_queue_send", 2, queue::send),
    row("wm_os_internal_sem_delete", 1, queue::sem_delete),
    row("board_frame_length", 0, radio::frame_length),
    row("board_frame_send", 2, radio::frame_send),
    row("board_frame_take", 2, radio::frame_take),
    row("board_frame_wait", 0, radio::frame_wait),
    row("board_network_time", 2, radio::network_time),
    row("board_panic", 1, queue::panic),
    row("board_radio_set_link", 1, radio::set_link),
    row("board_random", 2, radio::random),
    row("board_task_word", 0, queue::task_word),
];

/// The rows of an image's imports, in their order.
pub fn rows(names: &[String]) -> Result<Vec<&'static Row>, String> {
    names.iter().map(|name| find(name)).collect()
}

fn find(name: &str) -> Result<&'static Row, String> {
    let found = ROWS.iter().find(|row| row.name == name);
    found.ok_or_else(|| format!("the image calls {name}, which the board does not have"))
}

#[cfg(test)]
mod tests {
    use super::ROWS;

    /// Named in the list, and data.
    fn is_elsewhere(name: &str) -> bool {
        name.starts_with("mqtt_client_tls_")
    }

    #[test]
    fn every_function_of_the_list_has_one_row() {
        let list = include_str!("../../../linker/sdk-symbols.txt");
        let names = list.lines().filter(|line| !line.starts_with('#')).flat_map(|line| line.split('|'));
        for name in names.filter(|name| !name.is_empty() && !is_elsewhere(name)) {
            assert_eq!(ROWS.iter().filter(|row| row.name == name).count(), 1, "{name}");
        }
    }
}
