drop function public.act_in_meeting;
drop policy meeting_send on realtime.messages;
drop policy meeting_receive on realtime.messages;
drop table public.meeting_notes;
