"""The words that the readers know, parted by spaces. What each list is for stands where it is used."""

POLITE = "谢谢 谢啦 多谢 感谢 麻烦 麻烦你 辛苦 你好 您好 亲 哈 哦 啊 呢 吧 了 的 呀 啦 嘛"
NUMBER = "号码 手机号 手机号码 手机 电话 电话号码 号"

YES = """
对 对的 对滴 對 對的 是 是的 是滴 嗯 嗯嗯 恩 恩恩 唔 昂 没错 沒錯 没有错 没错的 没问题 没有问题 没毛病
正确 准确 无误 确认 确认无误 确定 确实 当然 必须的 就是 是我 是本人 同意 愿意 要 要的 需要
好 好的 好滴 好哒 行 可以 可以的 可 可的 阔以 成 中 妥 要得 得嘞
ok okay okey okk 欧克 yes yep yeah y en sure right correct 👌 👍 🆗 强 赞
"""
YES_AROUND = f"{POLITE} {NUMBER} 就 这个 那 那就 都 我 我的 本人"

NO = """
不 不对 不对的 不是 不是的 并不是 不正确 不准确 有误 有错 错 错的 错误
写错 打错 输错 填错 发错 弄错 搞错 按错 说错 记错 不對 錯
不行 不可以 不好 不要 不用 不用了 不了 不需要 不必 不想 不愿意 不同意 不考虑 不感兴趣 没兴趣 没有 没
别 拒绝 免了 否 非 no nope nah wrong n 👎 🙅
"""
NO_AROUND = f"{POLITE} {NUMBER} 这个 那个 那 我 我的 都 也 先 暂时 目前 现在 还是 真的 算了"

SKIP = """
跳过 跳過 略过 略 过 pass skip next 下一步 下一个 下一题
不说 不想说 不讲 不填 不想填 不用填 不写 不告诉 不告诉你 保密 匿名
不方便 不方便说 不方便留 不方便透露 不方便提供 不便 不便透露 不透露 不想透露 不提供 不想提供 不留 不想留 不给
再说 以后再说 回头再说 下次再说 晚点再说 算了 免了 不 不了 不用 不用了 不必 不要 不需要 no
"""
SKIP_AROUND = f"""
{POLITE} {NUMBER} 先 暂时 目前 现在 我 就 还是 名字 姓名 称呼 这个 这里 这题 一下 留 填 说
微信 微信说 微信聊 微信联系 微信沟通 就行 就好 就可以
"""

CORRECTIONS = """
不对 不對 不是 不正确 错了 改成 改为 改到 改一下 改下 改个 改回 改号 改电话 改手机 改名 更正 纠正
应该是 应为 应当是 换成 换为 换个号 说错 写错 打错 输错 填错 发错 搞错 弄错 记错 选错 点错 按错
重新填 重新说 重新选 重新写 重新发 重新输 重填 重选 重来 重发 修改
我要改成 我想改成 想改成 要改成 帮我改成 我要换成 我想换成 想换成
"""
WHOLE_CORRECTIONS = "改 错 重新 换 我要改 我想改 要改 想改 我改 帮我改"
APOLOGIES = "哦 噢 啊 哎 哎呀 诶 呃 额 那个 不好意思 抱歉 对不起 等等 等一下 等下 稍等 sorry 刚才 刚刚 前面"

GREETINGS = "你好 您好 哈喽 嗨 hi hello 在吗 在不在"
WISHES = """
我想要 我想 我要 我选 我 想要 想 要 选择 选 就要 就选 就 那就 那 先 请 帮我 麻烦 来 是 好的 嗯
请给我 给我 帮忙 麻烦你 麻烦您 請 幫我 麻煩 給我
你好 您好 你好啊 您好啊 你好呀 您好呀 哈喽 嗨 hi hello 亲
"""
WISHES_END = "就行 就好 就可以 谢谢 谢谢你 谢谢您 多谢 谢 謝謝 麻烦 辛苦 拜托 一下 的"

BETWEEN_NOT_AND_VERB = """
太 很 大 怎么 再 想 要 用 是 打算 考虑 需要 准备 会 能 愿意 愿 去 做 办 说 敢 可以 接受 喜欢
给 跟 让 帮 我 必 急着 急 关心 参加 来
"""

STICKER_CODES = """
/::) /::~ /::b /::| /:8-) /::< /::$ /::x /::z /::'( /::-| /::@ /::p /::d /::o /::( /::+ /:--b /::q /::t
/:,@p /:,@-d /:,@o /::g /:|-) /::! /::l /::> /::,@ /:,@f /::-s /:? /:,@x /:,@@ /::8 /:,@! /:!!! /:xx
/:bye /:wipe /:dig /:handclap /:&-( /:b-) /:<@ /:@> /::-o /:>-| /:p-( /::'| /:x-) /::* /:@x /:8* /:pd
/:<w> /:beer /:basketb /:oo /:coffee /:eat /:pig /:rose /:fade /:showlove /:heart /:break /:cake /:li
/:bome /:kn /:footb /:ladybug /:shit /:moon /:sun /:gift /:hug /:strong /:weak /:share /:v /:@) /:jj
/:@@ /:bad /:lvu /:no /:ok /:love /:<l> /:jump /:shake /:<o> /:circle /:kotow /:turn /:skip /:oy
"""
