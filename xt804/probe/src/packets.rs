//! MQTT packets, through the crate that the firmware uses.

use core::fmt::{self, Write};
use mqttrs::{Connect, LastWill, Packet, Pid, Protocol, Publish, QoS, QosPid, decode_slice, encode_slice};

pub(crate) fn run(out: &mut dyn Write) -> fmt::Result {
    let payload = [0xa5; 200];
    let pid = Pid::try_from(0x1234).unwrap_or_default();
    let publish = |qospid, payload| Publish { dup: false, qospid, retain: true, topic_name: "a/b/ü", payload };
    let packets: [Packet; 6] = [
        Packet::Connect(connect()),
        Packet::Publish(publish(QosPid::AtMostOnce, b"")),
        Packet::Publish(publish(QosPid::ExactlyOnce(pid), &payload)),
        Packet::Puback(pid),
        Packet::Unsuback(pid),
        Packet::Pingreq,
    ];
    for packet in &packets {
        show(out, packet)?;
    }
    for bytes in [
        &b"\x20\x02\x01\x00"[..],
        b"\x90\x03\x00\x01\x02",
        b"\x82\x06\x00\x09\x00\x01#\x02",
        b"\x30\xff\xff\xff\xff\x01",
        b"\xf0\x00",
        b"\x40",
    ] {
        writeln!(out, "{bytes:x?}: {:?}", decode_slice(bytes))?;
    }
    Ok(())
}

fn connect() -> Connect<'static> {
    let last_will = LastWill { topic: "will", message: b"gone", qos: QoS::AtLeastOnce, retain: false };
    Connect {
        protocol: Protocol::MQTT311,
        keep_alive: 60,
        client_id: "probe",
        clean_session: true,
        last_will: Some(last_will),
        username: Some("user"),
        password: Some(b"secret"),
    }
}

fn show(out: &mut dyn Write, packet: &Packet) -> fmt::Result {
    let mut buffer = [0; 256];
    let size = match encode_slice(packet, &mut buffer) {
        Ok(size) => size,
        Err(error) => return writeln!(out, "{error:?}"),
    };
    let bytes = &buffer[..size];
    writeln!(out, "{bytes:x?}")?;
    writeln!(out, "{:?}", decode_slice(bytes))
}
